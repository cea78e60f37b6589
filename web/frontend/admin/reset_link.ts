/** The link with which somebody sets a password; the token stands after the #, where no server log sees it. */
export const resetLink = (token: string): string => `${location.origin}/login#reset=${encodeURIComponent(token)}`;
