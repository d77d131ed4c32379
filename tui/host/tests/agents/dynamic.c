/* An agent that finds its libraries as bindings of ONNX Runtime and libtorch do. Compiled three times: the agent opens
 * the runtime by its bare name when it is first needed; with RUNTIME it is the runtime, which finds itself with dladdr
 * and opens its provider by path; with PROVIDER it is the provider, which gives that number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#if defined(PROVIDER)

int provide(void) { return PROVIDER; }

#elif defined(RUNTIME)

int infer(void) {
  Dl_info info;
  char path[4096];
  dladdr((void *)infer, &info);
  const char *end = strrchr(info.dli_fname, '/');
  snprintf(path, sizeof path, "%.*s/libruntime_provider.so", (int)(end - info.dli_fname), info.dli_fname);
  void *provider = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  return provider ? RUNTIME + ((int (*)(void))dlsym(provider, "provide"))() : -1;
}

#else
#include "workbench_agent.h"

static int32_t answer(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  (void)user, (void)task, (void)host;
  static char text[256];
  void *runtime = dlopen("libruntime.so", RTLD_LAZY);
  if (runtime) {
    int (*infer)(void) = (int (*)(void))dlsym(runtime, "infer");
    snprintf(text, sizeof text, "{\"route\":\"%s %d\"}", CODE, infer());
  } else {
    snprintf(text, sizeof text, "{\"route\":\"no runtime\"}");
  }
  out->kind = WB_OUT_JSON;
  out->data = (uint8_t *)text;
  out->len = strlen(text);
  return WB_OK;
}

static const wb_agent agents[] = {{sizeof(wb_agent), 0, 0, WB_TEXT("one"), WB_TEXT(""), answer, NULL}};

static const wb_module module = {
    .magic = WB_MAGIC, .abi_major = WB_ABI_MAJOR, .abi_minor = WB_ABI_MINOR, .size = sizeof(wb_module),
    .name = WB_TEXT("dynamic"), .version = WB_TEXT("1.0"), .sdk = WB_TEXT("c"), .build_info = WB_TEXT(""),
    .agents = agents, .agent_count = 1, .agent_stride = sizeof(wb_agent),
};

const wb_module *wb_agent_module(void) { return &module; }
#endif
