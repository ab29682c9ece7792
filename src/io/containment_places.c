/* Landlock's rules hold for the very files and folders that they were made for, and for all below
 * them, whatever they are called later. So they are known by device and inode here, too, and a path
 * is resolved before its folders are compared. */
#include "containment_places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem.h"
#include "span.h"

static bool identify(const char *path, struct socket_path_id *id_out)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return false;
    *id_out = (struct socket_path_id){status.st_dev, status.st_ino};
    return true;
}

/* --- lists --- */

static bool list_has(const struct containment_list *list, const struct socket_path_id *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->ids[i].device == id->device && list->ids[i].inode == id->inode)
            return true;
    return false;
}

static void list_clear(struct containment_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    free(list->ids);
    *list = (struct containment_list){0};
}

void containment_places_clear(struct containment_places *places)
{
    list_clear(&places->readable);
    list_clear(&places->writable);
    places->in_force = false;
}

void containment_list_add(struct containment_list *list, const char *path)
{
    struct socket_path_id id;

    if (!identify(path, &id) || list_has(list, &id))
        return;
    list->paths = mem_resize(list->paths, list->count + 1, sizeof *list->paths);
    list->ids = mem_resize(list->ids, list->count + 1, sizeof *list->ids);
    list->paths[list->count] = mem_copy_string(span_from_string(path));
    list->ids[list->count++] = id;
}

/* Cuts the path down to its folder; false: that is "/", or unknown. */
static bool cut_to_folder(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash || slash == path)
        return false;
    *slash = '\0';
    return true;
}

void containment_list_add_coming(struct containment_list *list, const char *path)
{
    char *place = mem_copy_string(span_from_string(path));
    struct socket_path_id unused;
    bool has_place = true;

    while (has_place && !identify(place, &unused))
        has_place = cut_to_folder(place);
    if (has_place)
        containment_list_add(list, place);
    free(place);
}

/* Adds the path's folder by `add`. */
static void add_folder(struct containment_list *list, const char *path,
                       void (*add)(struct containment_list *list, const char *path))
{
    char *folder = path ? mem_copy_string(span_from_string(path)) : NULL;

    if (folder && cut_to_folder(folder))
        add(list, folder);
    free(folder);
}

void containment_list_add_folder_of(struct containment_list *list, const char *path)
{
    add_folder(list, path, containment_list_add);
}

void containment_list_add_file(struct containment_list *list, const char *path)
{
    char *resolved = path ? realpath(path, NULL) : NULL;

    add_folder(list, path, containment_list_add_coming);
    add_folder(list, resolved, containment_list_add);
    free(resolved);
}

/* --- questions --- */

/* Whether a resolved path, which is changed, or a folder above it is in one of the lists. */
static bool is_covered(const struct containment_list *list, const struct containment_list *other,
                       char *resolved)
{
    struct socket_path_id id;

    do {
        if (identify(resolved, &id) && (list_has(list, &id) || (other && list_has(other, &id))))
            return true;
    } while (cut_to_folder(resolved));
    return false;
}

bool containment_bars_reading(const struct containment_places *places, const char *path)
{
    char *resolved = places && places->in_force ? realpath(path, NULL) : NULL;
    bool is_barred = resolved && !is_covered(&places->readable, &places->writable, resolved);

    free(resolved);
    return is_barred;
}

bool containment_bars_making(const struct containment_places *places, const char *path)
{
    char *folder = mem_copy_string(span_from_string(path));
    char *resolved = NULL;

    if (places && places->in_force && cut_to_folder(folder))
        resolved = realpath(folder, NULL);
    bool is_barred = resolved && !is_covered(&places->writable, NULL, resolved);
    free(resolved);
    free(folder);
    return is_barred;
}
