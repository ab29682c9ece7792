/* From directories to a policy: list all, let the higher directory win for each name, then read.
 *
 * Whatever cannot be judged is treated so that less is allowed: a directory that cannot be listed
 * stops the load, a bad file hides the file of the same name in a lower directory all the same. */
#include "profile_dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mem.h"
#include "read_file.h"
#include "yaml_tree.h"

#define PROFILE_DIR_SUFFIX ".yml"

static const char *const default_paths[] = {
    "/etc/onion-grater.d",
    "/run/onion-grater.d",
    "/usr/share/onion-grater/profiles.d",
};

const struct profile_dirs profile_dirs_default = {
    .paths = default_paths,
    .count = sizeof default_paths / sizeof default_paths[0],
    .may_be_missing = true,
};

struct profile_entry {
    char *name;
    size_t rank; /* of its directory; 0 is the highest */
};

struct profile_listing {
    struct profile_entry *entries;
    size_t count;
};

/* What one load works with. */
struct profile_load_run {
    const struct profile_dirs *dirs;
    const struct policy *former;
    const struct name_resolver *resolver;
    struct diag_list *diags;
    struct profile_dir_counts *counts;
    struct policy *policy;
};

static void profile_listing_clear(struct profile_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
}

static void profile_dir_error(struct diag_list *diags, const char *path, const char *text)
{
    diag_add(diags, DIAG_ERROR, (struct source){.file = path}, "%s", text);
}

/* Whoever may write to a profile, or put another in its place, decides about tor. */
static bool profile_dir_is_trusted(const char *path, const char *what, const struct stat *status,
                                   struct diag_list *diags)
{
    struct source where = {.file = path};

    if (status->st_mode & S_IWOTH) {
        diag_add(diags, DIAG_ERROR, where,
                 "everybody may write to this %s, so it cannot be "
                 "trusted; take that right away (chmod o-w)",
                 what);
        return false;
    }
    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        diag_add(diags, DIAG_ERROR, where,
                 "this %s belongs to uid %ju, who could change it; it "
                 "has to belong to root or to the user of onion-grater (chown root)",
                 what, (uintmax_t)status->st_uid);
        return false;
    }
    if ((status->st_mode & S_IWGRP) && status->st_gid != 0 && status->st_gid != getegid())
        diag_add(diags, DIAG_WARNING, where,
                 "the group with gid %ju may write to this %s, and so "
                 "decide what it allows; take that right away (chmod g-w) if it should not",
                 (uintmax_t)status->st_gid, what);
    return true;
}

/* --- listing --- */

static bool profile_dir_is_profile(const char *name)
{
    size_t len = strlen(name), suffix = strlen(PROFILE_DIR_SUFFIX);

    return name[0] != '.' && len > suffix && strcmp(name + len - suffix, PROFILE_DIR_SUFFIX) == 0;
}

static bool profile_dir_take_entries(DIR *dir, const char *path, size_t rank,
                                     struct profile_listing *listing, struct diag_list *diags)
{
    struct dirent *entry;

    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (!profile_dir_is_profile(entry->d_name))
            continue;
        if (listing->count == PROFILE_DIR_MAX_FILES) {
            diag_add(diags, DIAG_ERROR, (struct source){.file = path},
                     "more than %d profile files; nothing is loaded", PROFILE_DIR_MAX_FILES);
            return false;
        }
        listing->entries =
            mem_resize(listing->entries, listing->count + 1, sizeof *listing->entries);
        listing->entries[listing->count++] = (struct profile_entry){
            .name = mem_copy_string(span_from_string(entry->d_name)),
            .rank = rank,
        };
    }
    if (errno == 0)
        return true;
    profile_dir_error(diags, path, strerror(errno));
    return false;
}

static bool profile_dir_list(const struct profile_dirs *dirs, size_t rank,
                             struct profile_listing *listing, struct diag_list *diags)
{
    const char *path = dirs->paths[rank];
    struct stat status;
    DIR *dir = opendir(path);

    if (!dir && errno == ENOENT && dirs->may_be_missing)
        return true;
    if (!dir) {
        diag_add(diags, DIAG_ERROR, (struct source){.file = path},
                 "cannot read the directory of profiles: %s", strerror(errno));
        return false;
    }
    bool done = fstat(dirfd(dir), &status) == 0;
    if (!done) {
        profile_dir_error(diags, path, strerror(errno));
    } else {
        done = profile_dir_is_trusted(path, "directory", &status, diags) &&
               profile_dir_take_entries(dir, path, rank, listing, diags);
    }
    closedir(dir);
    return done;
}

static int profile_entry_compare(const void *a, const void *b)
{
    const struct profile_entry *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    if (order != 0)
        return order;
    return left->rank < right->rank ? -1 : left->rank > right->rank;
}

/* --- reading --- */

/* An empty file, or a link to /dev/null, hides the same name in lower directories. */
static bool profile_file_is_mask(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return false;
    if (S_ISCHR(status.st_mode))
        return status.st_rdev == makedev(1, 3);
    return S_ISREG(status.st_mode) && status.st_size == 0;
}

static struct profile_file *profile_file_parse(const struct profile_load_run *run, const char *path,
                                               struct span text, const struct stat *status)
{
    if (!profile_dir_is_trusted(path, "file", status, run->diags))
        return NULL;
    return profile_load(path, text, run->resolver, run->diags);
}

static struct profile_file *profile_file_read(const struct profile_load_run *run, const char *path)
{
    struct profile_file *file = NULL;
    struct buf text, reason;
    struct stat status;

    buf_init(&reason, 512);
    enum read_file_result result = read_file(path, YAML_MAX_SIZE, &text, &status, &reason);
    if (result == READ_FILE_OK) {
        file = profile_file_parse(run, path, buf_span(&text), &status);
    } else {
        if (result == READ_FILE_DENIED && containment_bars_reading(run->dirs->places, path))
            buf_append_string(&reason, "; onion-grater follows links only to folders that it read "
                                       "from when it started (containment): restart it");
        buf_append_char(&reason, '\0');
        profile_dir_error(run->diags, path, buf_span(&reason).data);
    }
    buf_clear(&reason);
    buf_clear(&text);
    return file;
}

static struct profile_file *profile_file_last_good(const struct profile_load_run *run,
                                                   const char *path)
{
    for (size_t i = 0; run->former && i < run->former->count; i++)
        if (strcmp(run->former->files[i]->path, path) == 0) {
            run->former->files[i]->is_kept = true;
            return profile_file_ref(run->former->files[i]);
        }
    return NULL;
}

static void profile_load_entry(struct profile_load_run *run, const struct profile_entry *entry)
{
    char *path = mem_printf("%s/%s", run->dirs->paths[entry->rank], entry->name);
    struct profile_file *file = NULL;

    if (!profile_file_is_mask(path)) {
        run->counts->files++;
        file = profile_file_read(run, path);
        if (!file) {
            file = profile_file_last_good(run, path);
            if (file)
                profile_dir_error(run->diags, path,
                                  "its last good version stays in use until this is mended");
            run->counts->kept += file != NULL;
        }
    }
    if (file) {
        run->counts->profiles += file->count;
        policy_add_file(run->policy, file);
    }
    free(path);
}

struct policy *profile_dirs_load(const struct profile_dirs *dirs, const struct policy *former,
                                 const struct name_resolver *resolver, struct diag_list *diags,
                                 struct profile_dir_counts *counts_out)
{
    struct profile_listing listing = {0};
    struct profile_load_run run = {
        .dirs = dirs,
        .former = former,
        .resolver = resolver,
        .diags = diags,
        .counts = counts_out,
    };
    bool done = true;

    *counts_out = (struct profile_dir_counts){0};
    for (size_t rank = 0; rank < dirs->count; rank++)
        done = profile_dir_list(dirs, rank, &listing, diags) && done;
    if (done) {
        run.policy = policy_new();
        if (listing.count > 0)
            qsort(listing.entries, listing.count, sizeof *listing.entries, profile_entry_compare);
        for (size_t i = 0; i < listing.count; i++)
            if (i == 0 || strcmp(listing.entries[i].name, listing.entries[i - 1].name) != 0)
                profile_load_entry(&run, &listing.entries[i]);
    }
    profile_listing_clear(&listing);
    return run.policy;
}
