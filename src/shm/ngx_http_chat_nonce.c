
#include "ngx_http_chat_nonce.h"
