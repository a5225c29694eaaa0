
# Tests for kick: who is removed from a room, and what he can still do.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();

__DATA__

=== TEST 1: all see it, and who was kicked is out and still connected
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
eve connect /chat?user=eve
for who ann bob eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"kick","id":2,"room":"lobby","user":"bob","reason":"spam"}
ann skip {"type":"ok","id":2,"room":"lobby","user":"bob","until":"%absent"}
for who bob eve
$who < {"type":"kicked","room":"lobby","seq":1,"ts":"%int","user":"bob", \
    "by":"ann","until":null,"reason":"spam","purge":"%absent"}
end
for what "send","text":"x" "typing" "history" "members" "read","seq":1 "leave"
bob > {"type":$what,"id":3,"room":"lobby"}
bob < {"type":"error","id":3,"code":"not_joined"}
end
ann > {"type":"send","id":4,"room":"lobby","text":"he is gone"}
ann skip {"type":"ok","id":4,"seq":2}
eve < {"type":"message","seq":2,"text":"he is gone"}

# nothing of what came meanwhile is in front of the answer
bob > {"type":"join","id":5,"room":"lobby"}
bob < {"type":"ok","id":5,"seq":2,"messages":[{"type":"kicked","seq":1}, \
    {"type":"message","seq":2}]}
bob > {"type":"send","id":6,"room":"lobby","text":"back"}
bob skip {"type":"ok","id":6,"seq":3}
eve < {"type":"message","seq":3,"user":"bob","text":"back"}



=== TEST 2: all connections of the user, on whatever worker
--- chat
ann connect /chat?user=ann&role=owner
b1 connect /chat?user=bob same=ann
b2 connect /chat?user=bob other=ann
for who ann b1 b2
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b2 > {"type":"join","id":2,"room":"other"}
b2 < {"type":"ok","id":2,"members":1}
ann > {"type":"kick","id":3,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":3}
for who b1 b2
$who < {"type":"kicked","room":"lobby","user":"bob","by":"ann","reason":"%absent"}
$who > {"type":"send","id":4,"room":"lobby","text":"x"}
$who < {"type":"error","id":4,"code":"not_joined"}
end
ann > {"type":"members","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"members":1}

# in other rooms he stays
b2 > {"type":"send","id":6,"room":"other","text":"x"}
b2 skip {"type":"ok","id":6,"room":"other","seq":1}



=== TEST 3: who is not there cannot be kicked
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"kick","id":2,"room":"lobby","user":"nobody"}
ann < {"type":"error","id":2,"code":"no_such_user"}
ann > {"type":"kick","id":3,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":3}
bob < {"type":"kicked","seq":1}
ann > {"type":"kick","id":4,"room":"lobby","user":"bob"}
ann skip {"type":"error","id":4,"code":"no_such_user"}

# and nothing was written
ann > {"type":"history","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"messages":"%[1]"}



=== TEST 4: a moderator need not be in the room
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
bob < {"type":"welcome"}
ann < {"type":"welcome"}
bob > {"type":"join","id":1,"room":"lobby"}
bob < {"type":"ok","id":1}
bob > {"type":"send","id":2,"room":"lobby","text":"x"}
bob skip {"type":"ok","id":2}
bob > {"type":"ping","id":3}
bob skip {"type":"ok","id":3}
ann > {"type":"kick","id":2,"room":"lobby","user":"bob"}
ann < {"type":"ok","id":2}
bob < {"type":"kicked","seq":2,"by":"ann"}
ann > {"type":"kick","id":3,"room":"nowhere","user":"bob"}
ann < {"type":"error","id":3,"code":"no_such_room"}
ann > {"type":"kick","id":4,"room":"@bob","user":"bob"}
ann < {"type":"error","id":4,"code":"forbidden"}
ann > {"type":"kick","id":5,"room":"@ann","user":"bob"}
ann < {"type":"error","id":5,"code":"forbidden"}
bob > {"type":"kick","id":6,"room":"nowhere","user":"bob"}
bob < {"type":"error","id":6,"code":"forbidden"}

# the room keeps what it had
bob > {"type":"join","id":7,"room":"lobby"}
bob < {"type":"ok","id":7,"messages":[{"type":"message"},{"type":"kicked"}]}
