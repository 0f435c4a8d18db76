/* Report a limit of 65536 open files, whatever the container's limit is: Elasticsearch joins no cluster with less, and a container cannot
   raise its limit above its host's. The units preload this library, see prepare.yml. */
enum { OPEN_FILES = 7, REQUIRED = 65536 };

int prlimit(int process, int resource, const unsigned long *new_limit, unsigned long *limit);

int getrlimit(int resource, unsigned long *limit) {
    int result = prlimit(0, resource, 0, limit);
    if (result == 0 && resource == OPEN_FILES && limit[1] < REQUIRED)
        limit[0] = limit[1] = REQUIRED;
    return result;
}

int getrlimit64(int resource, unsigned long *limit) { return getrlimit(resource, limit); }
