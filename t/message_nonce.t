
# Tests for nonce: a message that is sent again is there once.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /short {
        chat               chat;
        chat_user          $arg_user;
        chat_nonce_window  1s;
    }
_EOC_

play();

__DATA__

=== TEST 1: sent again, it gives the first one's seq and ts
What it says the second time does not matter.
--- chat
a connect /chat?user=alice record
a < {"type":"welcome"}
b connect /chat?user=bob other=a record
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","id":2,"room":"lobby","text":"x","nonce":"n"}
a skip {"type":"ok","id":2,"room":"lobby","seq":1,"ts":"$ts","duplicate":"%absent"}
b < {"type":"message","seq":1,"ts":"$ts","text":"x","nonce":"n"}
a > {"type":"send","id":3,"room":"lobby","text":"y","nonce":"n"}
a skip {"type":"ok","id":3,"room":"lobby","seq":1,"ts":"$ts","duplicate":true}
a > {"type":"send","room":"lobby","text":"z","nonce":"n"}
a > {"type":"send","id":4,"room":"lobby","text":"next","nonce":"m"}
a skip {"type":"ok","id":4,"seq":2,"duplicate":"%absent"}
b < {"type":"message","seq":2,"text":"next"}
a > {"type":"ping","id":5}
a skip {"type":"ok","id":5}
same a b



=== TEST 2: on another connection, on another worker
--- chat
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
a connect /chat?user=alice same=b
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":"x","nonce":"n"}
b < {"type":"message","seq":1,"ts":"$ts"}
a drop
c connect /chat?user=alice other=b
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"seq":1}
c > {"type":"send","id":2,"room":"lobby","text":"x","nonce":"n"}
c < {"type":"ok","id":2,"seq":1,"ts":"$ts","duplicate":true}
c > {"type":"send","id":3,"room":"lobby","text":"y","nonce":"o"}
c skip {"type":"ok","id":3,"seq":2}
b < {"type":"message","seq":2,"text":"y"}



=== TEST 3: a nonce is a user's and a room's own
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"one"}
$who < {"type":"ok","id":1}
end
a > {"type":"join","id":1,"room":"two"}
a < {"type":"ok","id":1}
a > {"type":"send","id":2,"room":"one","text":"x","nonce":"n"}
a skip {"type":"ok","id":2,"seq":1,"duplicate":"%absent"}
b < {"type":"message","seq":1,"user":"alice"}
b > {"type":"send","id":2,"room":"one","text":"x","nonce":"n"}
b skip {"type":"ok","id":2,"seq":2,"duplicate":"%absent"}
a skip {"type":"message","seq":2,"user":"bob"}
a > {"type":"send","id":3,"room":"two","text":"x","nonce":"n"}
a skip {"type":"ok","id":3,"room":"two","seq":1,"duplicate":"%absent"}



=== TEST 4: many of them, each once, from two connections at a time
--- chat
a connect /chat?user=alice
b connect /chat?user=alice other=a
c connect /chat?user=carol
for who a b c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for who a b
$who cork
for i 1..60
$who > {"type":"send","room":"lobby","text":"m$i","nonce":"n$i"}
end
$who > {"type":"ping","id":9}
end
a flush
b flush
a skip {"type":"ok","id":9}
b skip {"type":"ok","id":9}
c seqs 1..60 lobby
c > {"type":"history","id":2,"room":"lobby","limit":100}
c < {"type":"ok","id":2,"messages":"%[60]"}



=== TEST 5: it is forgotten after chat_nonce_window
--- chat
a connect /short?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","id":2,"room":"lobby","text":"x","nonce":"n"}
a skip {"type":"ok","id":2,"seq":1}
a > {"type":"ping","id":3}
a skip {"type":"ok","id":3}
a nothing 2200ms
a > {"type":"send","id":4,"room":"lobby","text":"x","nonce":"n"}
a skip {"type":"ok","id":4,"seq":2,"duplicate":"%absent"}



=== TEST 6: the worker that took it is killed
--- chat
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
a connect /chat?user=alice other=b
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":"x","nonce":"n"}
b < {"type":"message","seq":1,"ts":"$ts"}
nginx kill a
c connect /chat?user=alice
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1}
c > {"type":"send","id":2,"room":"lobby","text":"x","nonce":"n"}
c < {"type":"ok","id":2,"seq":1,"ts":"$ts","duplicate":true}
c > {"type":"send","id":3,"room":"lobby","text":"y","nonce":"m"}
c skip {"type":"ok","id":3,"seq":2}
b < {"type":"message","seq":2}
--- faults
exited on signal 9
