"""Taking rows from outside into the nouns: in short transactions, under a batch that becomes visible last."""
