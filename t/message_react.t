
# Tests for react: an event for those who are there, about a message.

use lib 't/lib';
use Test::Nginx::Chat;

play();

__DATA__

=== TEST 1: a reaction, its reply, and everyone's event
--- chat
a connect /chat?user=alice record
a < {"type":"welcome"}
b connect /chat?user=bob other=a record
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
b < {"type":"message","seq":1}
b > {"type":"react","id":2,"room":"lobby","seq":1,"emoji":"\ud83d\udc4d"}
b skip {"type":"ok","id":2,"room":"lobby","seq":1}
a < {"type":"reacted","room":"lobby","target":1,"user":"bob", \
    "emoji":"\ud83d\udc4d","on":true,"seq":"%absent","id":"%absent"}
b > {"type":"react","room":"lobby","seq":1,"emoji":"\"\\","on":false}
a < {"type":"reacted","target":1,"user":"bob","emoji":"\"\\","on":false}
b > {"type":"react","room":"lobby","seq":1,"emoji":"$("e" x 32)","on":true}
a < {"type":"reacted","emoji":"$("e" x 32)","on":true}
b > {"type":"ping","id":3}
b skip {"type":"ok","id":3}
same a b



=== TEST 2: it is not kept
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
a > {"type":"react","room":"lobby","seq":1,"emoji":"+"}
a < {"type":"reacted","target":1}
a > {"type":"history","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"messages":[{"type":"message","seq":1}]}
c connect /chat?user=carol
c < {"type":"welcome"}
c > {"type":"join","id":3,"room":"lobby","epoch":"$epoch","seq":0}
c < {"type":"ok","id":3,"seq":1,"messages":[{"type":"message","seq":1}]}
a > {"type":"send","room":"lobby","text":"y"}
c < {"type":"message","seq":2}
b < {"type":"message","seq":1}
b < {"type":"reacted","target":1}
b < {"type":"message","seq":2}



=== TEST 3: only to a message, and only from a member
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"react","id":1,"room":"lobby","seq":1,"emoji":"+"}
a < {"type":"error","id":1,"code":"not_joined"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"react","id":2,"room":"lobby","seq":1,"emoji":"+"}
a < {"type":"error","id":2,"code":"no_such_message"}
a > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
a > {"type":"edit","room":"lobby","seq":1,"text":"y"}
a < {"type":"edited","seq":2}
a > {"type":"react","id":3,"room":"lobby","seq":2,"emoji":"+"}
a < {"type":"error","id":3,"code":"no_such_message"}
a > {"type":"react","room":"lobby","seq":1,"emoji":"+"}
a < {"type":"reacted","target":1}
a > {"type":"delete","room":"lobby","seq":1}
a < {"type":"deleted","seq":3}
a > {"type":"react","id":4,"room":"lobby","seq":1,"emoji":"+"}
a < {"type":"error","id":4,"code":"no_such_message"}
for bad "" 1 null $("\"" . "n" x 33 . "\"")
a > {"type":"react","id":5,"room":"lobby","seq":1,"emoji":$bad}
a < {"type":"error","id":5,"code":"bad_request","field":"emoji"}
end
a > {"type":"react","id":6,"room":"lobby","seq":1,"emoji":"+","on":1}
a < {"type":"error","id":6,"code":"bad_request","field":"on"}
