/* A word of a command that an admin may copy into a shell. */
#ifndef OG_SHELL_WORD_H
#define OG_SHELL_WORD_H

/* The text as one word, in quotes unless it is plain, so that nothing in it is more than text; the
 * caller frees it. */
char *shell_word(const char *text);

#endif
