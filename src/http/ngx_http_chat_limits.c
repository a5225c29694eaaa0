
#include "ngx_http_chat_module.h"
