/* A library that is wrong in one way, chosen by -D. */
#include "workbench_agent.h"
#include <stdlib.h>
#include <string.h>

#ifndef ODD_MAGIC
#define ODD_MAGIC WB_MAGIC
#endif
#ifndef ODD_MAJOR
#define ODD_MAJOR WB_ABI_MAJOR
#endif
#ifndef ODD_NEEDS
#define ODD_NEEDS 0
#endif
#ifndef ODD_FLAGS
#define ODD_FLAGS 0
#endif
#ifndef ODD_SIZE
#define ODD_SIZE sizeof(wb_module)
#endif
#ifndef ODD_STRIDE
#define ODD_STRIDE sizeof(wb_agent)
#endif
#ifndef ODD_COUNT
#define ODD_COUNT 2
#endif
#ifndef ODD_SPEC
#define ODD_SPEC ""
#endif
#ifndef ODD_SECOND
#define ODD_SECOND "two"
#endif
#ifndef ODD_RUN
#define ODD_RUN run
#endif

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  (void)user, (void)task, (void)host, (void)out;
  return WB_OK;
}

static const wb_agent agents[] = {
    {sizeof(wb_agent), ODD_FLAGS, ODD_NEEDS, WB_TEXT("one"), WB_TEXT(ODD_SPEC), ODD_RUN, NULL},
    {sizeof(wb_agent), 0, 0, WB_TEXT(ODD_SECOND), WB_TEXT(""), run, NULL},
};

#ifdef ODD_CONSTRUCTOR
static volatile int on = 1;
__attribute__((constructor)) static void construct(void) { ODD_CONSTRUCTOR; }
#endif
#ifdef ODD_UNDEFINED
extern int not_there(void);
int use(void) { return not_there(); }
#endif

#ifdef ODD_INIT
static int32_t init(const wb_host *host, wb_out *out) {
  (void)host;
  static char text[] = "no licence here";
  out->kind = WB_OUT_TEXT;
  out->data = (uint8_t *)text;
  out->len = sizeof text - 1;
  return WB_ERROR;
}
#else
#define init NULL
#endif

static const wb_module module = {
    ODD_MAGIC, ODD_MAJOR, WB_ABI_MINOR, ODD_SIZE,
    WB_TEXT("odd"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT("c"),
    agents, ODD_COUNT, ODD_STRIDE, init, NULL, NULL,
};

#ifndef ODD_ENTRY
#define ODD_ENTRY wb_agent_module
#endif
const wb_module *ODD_ENTRY(void) {
#ifdef ODD_NULL
  return NULL;
#else
  return &module;
#endif
}
