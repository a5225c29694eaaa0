
# Tests for typing: said to those who are there, not too often, and never for
# longer than it is true.

use lib 't/lib';
use Test::Nginx::Chat;

play();

__DATA__

=== TEST 1: typing, its reply, and everyone's event
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"typing","id":2,"room":"lobby"}
a skip {"type":"ok","id":2,"room":"%absent","seq":"%absent"}
b < {"type":"typing","room":"lobby","user":"alice","on":true,"to":"%absent","seq":"%absent"}
a > {"type":"typing","id":3,"room":"lobby","on":false}
a skip {"type":"ok","id":3}
b < {"type":"typing","room":"lobby","user":"alice","on":false}
a > {"type":"typing","room":"lobby","on":true}
b < {"type":"typing","user":"alice","on":true}
b > {"type":"typing","room":"lobby"}
a skip {"type":"typing","room":"lobby","user":"bob","on":true}
b skip {"type":"typing","room":"lobby","user":"bob","on":true}
ok $main::Script->client("a")->{last}{payload} eq $main::Script->client("b")->{last}{payload}



=== TEST 2: what was said a moment ago is not said again
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for n 1..20
a > {"type":"typing","id":$n,"room":"lobby"}
a skip {"type":"ok","id":$n}
end
a > {"type":"typing","id":21,"room":"lobby","on":false}
a skip {"type":"ok","id":21}
a > {"type":"ping","id":22}
a skip {"type":"ok","id":22}
for n 23..26
a > {"type":"typing","id":$n,"room":"lobby","on":false}
a skip {"type":"ok","id":$n}
end
a > {"type":"send","room":"lobby","text":"x"}
b < {"type":"typing","on":true}
b < {"type":"typing","on":false}
b < {"type":"message","seq":1}



=== TEST 3: after three seconds it is, and six after the last word it ends
--- chat
timeout 12s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a > {"type":"typing","room":"lobby"}
b < {"type":"typing","on":true}
b nothing 3100ms
a > {"type":"typing","room":"lobby"}
b < {"type":"typing","on":true}
b nothing 5s
within 2s
b < {"type":"typing","room":"lobby","user":"alice","on":false}
end
a skip {"type":"typing","on":false}
a > {"type":"typing","room":"lobby","on":false}
a > {"type":"ping","id":2}
a < {"type":"ok","id":2}



=== TEST 4: it ends with a message to that room
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
for room one two
$who > {"type":"join","id":1,"room":"$room"}
$who < {"type":"ok","id":1}
end
end
a > {"type":"typing","room":"one"}
b < {"type":"typing","room":"one","on":true}
a > {"type":"typing","room":"two"}
b < {"type":"typing","room":"two","on":true}
a > {"type":"send","room":"one","text":"x"}
b < {"type":"message","room":"one"}
b < {"type":"typing","room":"one","user":"alice","on":false}
a > {"type":"typing","room":"one"}
b < {"type":"typing","room":"one","on":true}
a > {"type":"typing","room":"two","on":false}
b < {"type":"typing","room":"two","on":false}



=== TEST 5: and with leaving, and with the connection
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
for room one two
$who > {"type":"join","id":1,"room":"$room"}
$who < {"type":"ok","id":1}
end
end
a > {"type":"typing","room":"one"}
b < {"type":"typing","room":"one","on":true}
a > {"type":"typing","room":"two"}
b < {"type":"typing","room":"two","on":true}
a > {"type":"leave","room":"one"}
within 3s
b < {"type":"typing","room":"one","user":"alice","on":false}
end
a drop
within 3s
b < {"type":"typing","room":"two","user":"alice","on":false}
end



=== TEST 6: to a user
--- chat
a connect /chat?user=alice
b connect /chat?user=bob other=a
d connect /chat?user=bob other=b
c connect /chat?user=carol
for who a b c d
$who < {"type":"welcome"}
end
a > {"type":"typing","id":1,"to":"bob"}
a < {"type":"ok","id":1}
for who b d
$who < {"type":"typing","to":"bob","user":"alice","on":true,"room":"%absent"}
end
a > {"type":"typing","id":2,"to":"bob"}
a < {"type":"ok","id":2}
a > {"type":"send","id":3,"to":"bob","text":"x"}
a skip {"type":"ok","id":3}
for who b d
$who < {"type":"message","room":"@bob","seq":1}
$who < {"type":"typing","to":"bob","user":"alice","on":false,"room":"%absent"}
end
a > {"type":"typing","id":4,"to":"nobody"}
a skip {"type":"error","id":4,"code":"no_such_user"}
c > {"type":"ping","id":5}
c < {"type":"ok","id":5}



=== TEST 7: it is not kept
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
a > {"type":"typing","room":"lobby"}
a < {"type":"typing","on":true}
a > {"type":"history","id":2,"room":"lobby"}
a < {"type":"ok","id":2,"messages":"%[0]"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":0}
b < {"type":"ok","id":1,"seq":0,"messages":"%[0]","recovered":true}
a > {"type":"send","room":"lobby","text":"x"}
b < {"type":"message","seq":1}
b < {"type":"typing","on":false}



=== TEST 8: who types everywhere types in so many rooms at most
The oldest ones end.
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
for n 1..20
a > {"type":"join","id":1,"room":"r$n"}
a < {"type":"ok","id":1}
end
for n 1..16
a > {"type":"typing","room":"r$n"}
a < {"type":"typing","room":"r$n","on":true}
end
for n 17..20
a > {"type":"typing","id":2,"room":"r$n"}
a skip {"type":"typing","room":"r$n","on":true}
a > {"type":"typing","id":3,"room":"r$($n - 16)","on":false}
a skip {"type":"ok","id":3}
end
a > {"type":"typing","room":"r5","on":false}
a < {"type":"typing","room":"r5","on":false}



=== TEST 9: what is refused
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"typing","id":1,"room":"lobby"}
a < {"type":"error","id":1,"code":"not_joined"}
a > {"type":"typing","id":2,"room":"lobby","to":"alice"}
a < {"type":"error","id":2,"code":"bad_request","field":"to"}
a > {"type":"typing","id":3}
a < {"type":"error","id":3,"code":"bad_request","field":"room"}
a > {"type":"join","id":4,"room":"lobby"}
a < {"type":"ok","id":4}
a > {"type":"typing","id":5,"room":"lobby","on":"yes"}
a < {"type":"error","id":5,"code":"bad_request","field":"on"}
