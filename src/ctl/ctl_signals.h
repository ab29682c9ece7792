/* Signals that end a verb which goes on until it is told to stop. */
#ifndef OG_CTL_SIGNALS_H
#define OG_CTL_SIGNALS_H

#include <stdbool.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT interrupt what waits, and nothing more. False:
 * there is no descriptor for it, and they end the process as ever. */
bool ctl_signals_catch(void);

/* Whether one of them has come. */
bool ctl_signals_caught(void);

/* A descriptor that can be read once one has come, for poll(2); -1: they are not caught. */
int ctl_signals_fd(void);

#endif
