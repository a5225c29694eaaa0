
#include "ngx_http_chat_presence.h"
