"""A fictional district that shows and proves the whole platform. All of it is drawn from a seed."""
