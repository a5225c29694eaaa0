
# Tests for the key of chat_authorize_cache.  One that a backend has given at
# the handshake was lost where no "chat_access" stands anywhere, and an empty
# one was one for all: they shared the first one's answer.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;

    map $http_x_user $verdict {
        default  403;
        alice    204;
    }
_EOC_

default_config(<<'_EOC_');
    location /chat {
        auth_request          /who;
        auth_request_set      $who  $upstream_http_x_who;
        chat                  chat;
        chat_user             $arg_user;
        chat_authorize        /ask;
        chat_authorize_cache  10s  $who;
    }

    location /cookie {
        chat                  chat;
        chat_user             $arg_user;
        chat_authorize        /ask;
        chat_authorize_cache  10s  $cookie_group;
    }

    location = /who {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_SERVER_PORT/answer;
    }

    location = /answer {
        add_header  X-Who  $http_x_me;
        return      204;
    }

    location = /ask {
        internal;
        proxy_set_header  X-User  $chat_user;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_SERVER_PORT/verdict;
    }

    location = /verdict {
        if ($verdict = 403) { return 403; }
        return 204;
    }
_EOC_

play();

__DATA__

=== TEST 1: one user's answer is not another's
--- chat
alice connect /chat?user=alice | X-Me: alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob same=alice | X-Me: bob
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
alice < {"type":"ok","id":1}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"error","id":1,"code":"forbidden"}



=== TEST 2: who has no key has nobody's answer
--- chat
alice connect /cookie?user=alice
alice skip {"type":"welcome"}
bob connect /cookie?user=bob same=alice
bob skip {"type":"welcome"}
alice > {"type":"join","id":1,"room":"lobby"}
alice < {"type":"ok","id":1}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"error","id":1,"code":"forbidden"}
carol connect /cookie?user=carol same=alice | Cookie: group=one
carol skip {"type":"welcome"}
carol > {"type":"join","id":1,"room":"lobby"}
carol < {"type":"error","id":1,"code":"forbidden"}
