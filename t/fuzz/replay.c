
/*
 * A fuzzer's target without the fuzzer: each file of a folder is one input,
 * the seeds and all that ever made it fail.  What fails, aborts.
 *
 *     replay_NAME [folder]
 */


#include <dirent.h>

#include "test.h"


#define REPLAY_MAX  (1024 * 1024)


int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);


static const char  *replay_folder = REPLAY_CORPUS;


static void
replay_file(const char *path)
{
    FILE           *file;
    size_t          n;
    unsigned char  *copy;
    static char     buf[REPLAY_MAX];

    file = fopen(path, "rb");
    test_ok(file != NULL);

    if (file == NULL) {
        return;
    }

    n = fread(buf, 1, REPLAY_MAX, file);
    (void) fclose(file);

    copy = test_copy(buf, n);

    printf("# %s\n", path);
    (void) fflush(stdout);

    test_eq(LLVMFuzzerTestOneInput(copy, n), 0);

    free(copy);
}


static void
test_replay(void)
{
    DIR            *dir;
    char            path[1024];
    unsigned        n;
    struct dirent  *entry;

    n = 0;
    dir = opendir(replay_folder);
    test_ok(dir != NULL);

    while (dir && (entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] == '.') {
            continue;
        }

        (void) snprintf(path, sizeof(path), "%s/%s", replay_folder,
                        entry->d_name);
        replay_file(path);
        n++;
    }

    if (dir) {
        (void) closedir(dir);
    }

    test_ok(n != 0);
}


int
main(int argc, char **argv)
{
    if (argc > 1) {
        replay_folder = argv[1];
    }

    test_run(replay_folder, test_replay);

    return test_done();
}
