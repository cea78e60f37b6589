/** The shortest password the form sends; the server decides. */
export const MIN_PASSWORD = 10;
