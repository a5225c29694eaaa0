
# Tests for filters: wherever a text comes in, and nowhere else.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat         chat;
        chat_user    $arg_user;
        chat_filter  ~darn mask "d\"\\n";
        chat_filter  ~nasty reject;
    }
_EOC_

play();

__DATA__

=== TEST 1: a message to a room
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","id":2,"room":"lobby","text":"oh d\u0061rn it","data":"darn"}
a skip {"type":"ok","id":2,"seq":1}
b < {"type":"message","seq":1,"text":"oh d\"\\n it","data":"darn"}
a > {"type":"send","id":3,"room":"lobby","text":"a nasty one","nonce":"n"}
a skip {"type":"error","id":3,"code":"rejected"}
a > {"type":"send","room":"lobby","text":"nasty"}
a skip {"type":"error","code":"rejected","id":"%absent"}
a > {"type":"send","id":4,"room":"lobby","text":"nice","data":"nasty","nonce":"n"}
a skip {"type":"ok","id":4,"seq":2,"duplicate":"%absent"}
b < {"type":"message","seq":2,"text":"nice","data":"nasty"}



=== TEST 2: an edit
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
a > {"type":"edit","id":2,"room":"lobby","seq":1,"text":"nasty"}
a < {"type":"error","id":2,"code":"rejected"}
a > {"type":"edit","room":"lobby","seq":1,"text":"darn"}
a < {"type":"edited","seq":2,"text":"d\"\\n"}
a > {"type":"history","id":3,"room":"lobby","limit":2}
a < {"type":"ok","id":3,"messages":[{"seq":1,"text":"d\"\\n"},{"seq":2}]}



=== TEST 3: a direct message, in both inboxes
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
end
a > {"type":"send","id":1,"to":"bob","text":"nasty"}
a < {"type":"error","id":1,"code":"rejected"}
a > {"type":"send","to":"bob","text":"darn"}
a < {"type":"message","room":"@alice","seq":1,"text":"d\"\\n"}
b < {"type":"message","room":"@bob","seq":1,"text":"d\"\\n"}
