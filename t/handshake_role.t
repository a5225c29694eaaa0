
# Tests for chat_user_role at the handshake, and $chat_role.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
        chat_log        logs/sessions.log roles;
    }
_EOC_

default_http_config(<<'_EOC_');
    log_format  roles "$chat_user is $chat_role";
    chat_zone   chat:4m;
_EOC_

play();

__DATA__

=== TEST 1: each role, and none
--- chat
for role member moderator owner
a connect /chat?user=alice&role=$role
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"$role"}
a drop
log in sessions.log ~^alice is $role$
end
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"role":"member"}
b drop
log in sessions.log ~^bob is member$



=== TEST 2: any other value is refused
--- chat
for role Owner admin moderators member%20 0 %00
a refused 403 /chat?user=alice&role=$role
end
log ~refused with 403: role is none of "member", "moderator" and "owner"
