/* A library without agents: what `needs.c` needs or opens. */
#ifdef DEEPER
int deeper_value(void);
#define GIVEN deeper_value()
#else
#define GIVEN VALUE
#endif

int NAME(void) { return GIVEN; }
