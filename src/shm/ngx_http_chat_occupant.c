
#include "ngx_http_chat_occupant.h"
