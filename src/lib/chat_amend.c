
#include "chat_amend.h"
