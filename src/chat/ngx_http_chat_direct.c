
#include "ngx_http_chat_command.h"
