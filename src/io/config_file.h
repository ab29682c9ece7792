/* The configuration file: a YAML mapping whose keys are named like the long options. */
#ifndef OG_CONFIG_FILE_H
#define OG_CONFIG_FILE_H

#include <stdbool.h>

#include "diag.h"
#include "options.h"

/* Reads `path` into `options`, which holds nothing yet. A file that does not exist is an error only
 * if `is_required`. False: there was an error; messages are in `diags`. */
bool config_file_load(const char *path, bool is_required, struct options *options,
                      struct diag_list *diags);

#endif
