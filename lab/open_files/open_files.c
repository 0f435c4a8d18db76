/* A stand-in. Says that 65536 files may be open, whatever the container's limit is: Elasticsearch does not join a cluster with less, and a
   container cannot raise its limit above its host's. Preloaded by the units, see prepare.yml. */
enum { OPEN_FILES = 7, WANTED = 65536 };

int prlimit(int process, int resource, const unsigned long *wish, unsigned long *limit);

int getrlimit(int resource, unsigned long *limit) {
    int result = prlimit(0, resource, 0, limit);
    if (result == 0 && resource == OPEN_FILES && limit[1] < WANTED)
        limit[0] = limit[1] = WANTED;
    return result;
}

int getrlimit64(int resource, unsigned long *limit) { return getrlimit(resource, limit); }
