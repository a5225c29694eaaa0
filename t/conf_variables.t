
# Tests for $chat_zone_size_<zone> and its like.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=1000;
    }

    location /memory {
        return 403 "$chat_zone_size_chat $chat_zone_used_chat $chat_zone_free_chat $chat_zone_free_None.";
    }

    location /free {
        return 403 "$chat_zone_free_chat";
    }
_EOC_

play();

__DATA__

=== TEST 1: they add up, and what is stored is no longer free
--- chat
m refused 403 /memory
m body ~^4194304 [0-9]+ [0-9]+ \.
f refused 403 /free
f body ~^[0-9]+$
set before = $Script->client('f')->{body}
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for id 2..11
a > {"type":"send","id":$id,"room":"lobby","data":"$('x' x 10000)"}
a skip {"type":"ok","id":$id}
end
g refused 403 /free
g body ~^[0-9]+$
set after = $Script->client('g')->{body}
ok $before - $after > 100000 && $before - $after < 120000
