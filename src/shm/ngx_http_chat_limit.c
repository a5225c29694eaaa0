
#include "ngx_http_chat_limit.h"
