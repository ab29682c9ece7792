/* The files and folders that Landlock leaves us, so that a message can tell its refusal from that
 * of a file's mode. */
#ifndef OG_CONTAINMENT_PLACES_H
#define OG_CONTAINMENT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "socket_path.h"

struct containment_list {
    char **paths; /* owned */
    struct socket_path_id *ids;
    size_t count;
};

struct containment_places {
    struct containment_list readable;
    struct containment_list writable; /* readable, too */
    bool in_force;
};

void containment_places_clear(struct containment_places *places);

/* Adds a file or a folder, if it exists. */
void containment_list_add(struct containment_list *list, const char *path);

/* The same; if it does not exist, the nearest folder above it that does, but not "/": what is to
 * come there is meant. */
void containment_list_add_coming(struct containment_list *list, const char *path);

/* Adds the folder of a file, if the folder exists. The path may be NULL. */
void containment_list_add_folder_of(struct containment_list *list, const char *path);

/* What it takes to read a file whenever it is written anew: its folder, which may be still to come,
 * and if it is a link, the folder of what it leads to now. The path may be NULL. */
void containment_list_add_file(struct containment_list *list, const char *path);

/* Whether Landlock keeps us from reading a file that exists. `places` may be NULL. */
bool containment_bars_reading(const struct containment_places *places, const char *path);

/* Whether Landlock keeps us from making a file of that path, in a folder that exists. `places` may
 * be NULL. */
bool containment_bars_making(const struct containment_places *places, const char *path);

#endif
