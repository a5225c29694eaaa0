
# Tests for read: how far a user has read, and what is left.

use lib 't/lib';
use Test::Nginx::Chat;

play();

__DATA__

=== TEST 1: a marker, its reply, and everyone's event
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"read":0,"unread":0}
end
for n 1..4
a > {"type":"send","room":"lobby","text":"m$n"}
a < {"type":"message","seq":$n}
b < {"type":"message","seq":$n}
end
b > {"type":"read","id":2,"room":"lobby","seq":2}
b skip {"type":"ok","id":2,"room":"lobby","seq":2}
a < {"type":"read","room":"lobby","user":"bob","seq":2,"ts":"%absent"}
b > {"type":"read","room":"lobby","seq":3}
a < {"type":"read","room":"lobby","user":"bob","seq":3}
b skip {"type":"read","seq":3}
ok $main::Script->client("a")->{last}{payload} eq $main::Script->client("b")->{last}{payload}



=== TEST 2: it moves forward only, and not beyond what was said
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b > {"type":"read","id":2,"room":"lobby","seq":1}
b < {"type":"ok","id":2,"room":"lobby","seq":0}
for n 1..4
a > {"type":"send","room":"lobby","text":"m$n"}
b < {"type":"message","seq":$n}
end
b > {"type":"read","id":3,"room":"lobby","seq":3}
b skip {"type":"ok","id":3,"seq":3}
for seq 1 2 3
b > {"type":"read","id":4,"room":"lobby","seq":$seq}
b skip {"type":"ok","id":4}
end
b > {"type":"read","id":5,"room":"lobby","seq":9007199254740991}
b skip {"type":"ok","id":5,"seq":4}
a skip {"type":"read","user":"bob","seq":3}
a < {"type":"read","user":"bob","seq":4}
c connect /chat?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":6,"room":"lobby"}
c < {"type":"ok","id":6,"read":4,"unread":0}



=== TEST 3: what is unread, in the answer to join
Messages count, and nothing else; one's own move the marker.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
for n 1..3
a > {"type":"send","room":"lobby","text":"m$n"}
a < {"type":"message","seq":$n}
end
a > {"type":"edit","room":"lobby","seq":3,"text":"e"}
a < {"type":"edited","seq":4}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"read":0,"unread":3}
b > {"type":"read","id":2,"room":"lobby","seq":1}
b skip {"type":"ok","id":2}
b drop
c connect /chat?user=bob same=a
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"read":1,"unread":2}
c > {"type":"send","id":2,"room":"lobby","text":"mine"}
c skip {"type":"ok","id":2,"seq":5}
c > {"type":"join","id":3,"room":"lobby"}
c skip {"type":"ok","id":3,"read":5,"unread":0}
a skip {"type":"message","seq":5}
a > {"type":"send","room":"lobby","text":"m"}
c < {"type":"message","seq":6}
c > {"type":"join","id":4,"room":"lobby"}
c < {"type":"ok","id":4,"read":5,"unread":1}



=== TEST 4: all of a user's connections have the same one
--- chat
a connect /chat?user=alice
b connect /chat?user=alice other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"send","room":"lobby","text":"x"}
b < {"type":"message","seq":1}
b > {"type":"join","id":2,"room":"lobby"}
b < {"type":"ok","id":2,"read":1,"unread":0}



=== TEST 5: what is refused
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"read","id":1,"room":"lobby","seq":1}
a < {"type":"error","id":1,"code":"not_joined"}
a > {"type":"join","id":2,"room":"lobby"}
a < {"type":"ok","id":2}
for seq 0 -1 1.5 "1" null
a > {"type":"read","id":3,"room":"lobby","seq":$seq}
a < {"type":"error","id":3,"code":"bad_request","field":"seq"}
end
a > {"type":"read","id":4,"room":"lobby"}
a < {"type":"error","id":4,"code":"bad_request","field":"seq"}



=== TEST 6: a guest has one as long as he is there
--- chat
a connect /chat
a < {"type":"welcome","guest":true,"user":"$guest"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b > {"type":"send","room":"lobby","text":"x"}
a < {"type":"message","seq":1}
a > {"type":"read","id":2,"room":"lobby","seq":1}
a skip {"type":"ok","id":2,"seq":1}
b skip {"type":"read","user":"$guest","seq":1}
a > {"type":"join","id":3,"room":"lobby"}
a skip {"type":"ok","id":3,"read":1,"unread":0}
