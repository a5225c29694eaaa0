
# Tests for a room's settings: who sees them, and what they do.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();

__DATA__

=== TEST 1: the event has what was set, the reply all of it
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"topic":"","slow":0,"locked":false,"members_only":false}
end
ann > {"type":"set","id":2,"room":"lobby","topic":"a \"topic\" \u00e9"}
ann skip {"type":"ok","id":2,"room":"lobby","topic":"a \"topic\" \u00e9", \
    "slow":0,"locked":false,"members_only":false}
bob < {"type":"room","room":"lobby","seq":1,"ts":"%int","user":"ann", \
    "topic":"a \"topic\" \u00e9","slow":"%absent","locked":"%absent","members_only":"%absent"}
ann > {"type":"set","id":3,"room":"lobby","slow":5,"locked":true}
ann skip {"type":"ok","id":3,"topic":"a \"topic\" \u00e9","slow":5,"locked":true,"members_only":false}
bob < {"type":"room","seq":2,"slow":5,"locked":true,"topic":"%absent","members_only":"%absent"}
ann > {"type":"set","id":4,"room":"lobby","topic":"","slow":0,"locked":false,"members_only":true}
ann skip {"type":"ok","id":4,"topic":"","slow":0,"locked":false,"members_only":true}
bob < {"type":"room","seq":3,"topic":"","slow":0,"locked":false,"members_only":true}
ann > {"type":"set","id":5,"room":"lobby","members_only":false}
ann skip {"type":"ok","id":5,"members_only":false}

# in the history too, and in the answer to a join
eve connect /chat?user=eve other=ann
eve < {"type":"welcome"}
eve > {"type":"join","id":6,"room":"lobby"}
eve < {"type":"ok","id":6,"topic":"","members_only":false,"messages":[ \
    {"type":"room","seq":1},{"type":"room","seq":2},{"type":"room"},{"type":"room"}]}
ann > {"type":"set","id":7,"room":"lobby","topic":"new"}
ann skip {"type":"ok","id":7}
eve > {"type":"join","id":8,"room":"lobby","history":0}
eve skip {"type":"ok","id":8,"topic":"new","messages":[]}



=== TEST 2: bounds
--- chat
ann connect /chat?user=ann&role=moderator
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
ann > {"type":"set","id":2,"room":"lobby","topic":"$("t" x 500)","slow":86400000}
ann skip {"type":"ok","id":2,"topic":"$("t" x 500)","slow":86400000}
ann > {"type":"join","id":3,"room":"lobby","history":0}
ann skip {"type":"ok","id":3,"topic":"$("t" x 500)","slow":86400000}
ann > {"type":"set","id":4,"room":"lobby","topic":"$("t" x 501)"}
ann skip {"type":"error","id":4,"code":"bad_request","field":"topic"}
ann > {"type":"set","id":5,"room":"lobby","slow":86400001}
ann skip {"type":"error","id":5,"code":"bad_request","field":"slow"}
ann > {"type":"set","id":6,"room":"lobby"}
ann skip {"type":"error","id":6,"code":"bad_request","field":"topic"}
ann > {"type":"set","id":7,"room":"nowhere","topic":"x"}
ann skip {"type":"error","id":7,"code":"no_such_room"}
ann > {"type":"set","id":8,"room":"@ann","topic":"x"}
ann skip {"type":"error","id":8,"code":"forbidden"}
ann > {"type":"set","room":"lobby","topic":"no id"}
ann skip {"type":"room","topic":"no id"}



=== TEST 3: locked
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
bob > {"type":"send","id":2,"room":"lobby","text":"before"}
bob skip {"type":"ok","id":2,"seq":1}
ann > {"type":"set","id":2,"room":"lobby","locked":true}
ann skip {"type":"ok","id":2}
bob > {"type":"send","id":3,"room":"lobby","text":"x"}
bob skip {"type":"error","id":3,"code":"locked"}
bob > {"type":"edit","id":4,"room":"lobby","seq":1,"text":"x"}
bob skip {"type":"error","id":4,"code":"locked"}
bob > {"type":"delete","id":5,"room":"lobby","seq":1}
bob skip {"type":"ok","id":5}
ann > {"type":"send","id":6,"room":"lobby","text":"moderators may"}
ann skip {"type":"ok","id":6}
bob skip {"type":"message","text":"moderators may"}
ann > {"type":"set","id":7,"room":"lobby","locked":false}
ann skip {"type":"ok","id":7}
bob > {"type":"send","id":8,"room":"lobby","text":"after"}
bob skip {"type":"ok","id":8}



=== TEST 4: slow, with the time that is left, and moderators exempt
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
b2 connect /chat?user=bob same=ann
eve connect /chat?user=eve
for who ann bob b2 eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"set","id":2,"room":"lobby","slow":60000}
ann skip {"type":"ok","id":2,"slow":60000}
bob > {"type":"send","id":3,"room":"lobby","text":"one"}
bob skip {"type":"ok","id":3,"seq":2}

# whichever of his connections it is, but each user has his own time
for who bob b2
$who > {"type":"send","id":4,"room":"lobby","text":"two"}
$who skip {"type":"error","id":4,"code":"slow_mode","retry_after":"$left$who"}
end
ok $leftbob > 50000 && $leftbob <= 60000
ok $leftb2 > 50000 && $leftb2 <= $leftbob
eve > {"type":"send","id":5,"room":"lobby","text":"mine"}
eve skip {"type":"ok","id":5}
for id 6 7 8
ann > {"type":"send","id":$id,"room":"lobby","text":"exempt"}
ann skip {"type":"ok","id":$id}
end
ann > {"type":"set","id":9,"room":"lobby","slow":0}
ann skip {"type":"ok","id":9}
bob > {"type":"send","id":10,"room":"lobby","text":"three"}
bob skip {"type":"ok","id":10}



=== TEST 5: who waits as long as he was told may send
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"set","id":2,"room":"lobby","slow":500}
ann skip {"type":"ok","id":2}
bob > {"type":"send","id":3,"room":"lobby","text":"one"}
bob skip {"type":"message","text":"one"}
bob > {"type":"send","id":4,"room":"lobby","text":"two"}
bob skip {"type":"error","id":4,"code":"slow_mode","retry_after":"$left"}
ok $left > 0 && $left <= 500
bob nothing $($left + 50)ms
bob > {"type":"send","id":5,"room":"lobby","text":"three"}
bob skip {"type":"ok","id":5}



=== TEST 6: members_only
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
eve connect /chat?user=eve&role=member
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
eve < {"type":"welcome"}
ann > {"type":"set","id":2,"room":"lobby","members_only":true}
ann skip {"type":"ok","id":2}

# who is in may listen, and no more
for what "send","text":"x" "typing" "history" "members" "read","seq":1 "join"
bob > {"type":$what,"id":3,"room":"lobby"}
bob skip {"type":"error","id":3,"code":"forbidden"}
end
ann > {"type":"send","id":4,"room":"lobby","text":"x"}
ann skip {"type":"ok","id":4}
bob < {"type":"message","text":"x"}
bob > {"type":"leave","id":5,"room":"lobby"}
bob < {"type":"ok","id":5}
bob > {"type":"join","id":6,"room":"lobby"}
bob < {"type":"error","id":6,"code":"forbidden"}

# a role that he came with or a grant, if only of a member, lets him in
eve > {"type":"join","id":7,"room":"lobby"}
eve < {"type":"ok","id":7,"members_only":true}
ann > {"type":"grant","id":8,"room":"lobby","user":"bob","role":"member"}
ann skip {"type":"ok","id":8}
bob > {"type":"join","id":9,"room":"lobby"}
bob < {"type":"ok","id":9,"role":"member"}
bob > {"type":"send","id":10,"room":"lobby","text":"x"}
bob skip {"type":"ok","id":10}
