
# Tests for what an API key may do: its scopes and its rooms hold for each act,
# as they stand in the file at that time.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;

    map $chat_room $open {
        default  1;
        in-shut  0;
    }
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
        chat_api_keys   ../html/keys;
    }

    location /rules {
        chat            chat;
        chat_api_keys   ../html/keys;
        chat_access     join  $open;
        chat_access     send  0;
    }

    location /room {
        chat            chat;
        chat_room       $arg_room;
        chat_api_keys   ../html/keys;
    }

    location /raw {
        chat            chat;
        chat_protocol   raw;
        chat_room       $arg_room;
        chat_api_keys   ../html/keys;
    }
_EOC_

# Scopes, rooms and times by name; "bot" and "again" are one user

my %Keys = (
    reader => ['history', 'in-*'],
    writer => ['publish,history', 'in-*,@carol'],
    mod => ['moderate,history', 'in-*'],
    full => ['publish,history,moderate', 'in-*'],
    admin => ['admin', 'in-*'],
    sender => ['publish', '*'],
    judge => ['publish,moderate', '*'],
    bot => ['publish,history', '*'],
    again => ['history', '*'],
    canary => ['history', '*'],
);

my %Scopes = map { $_ => { map { $_ => 1 } split /,/, $Keys{$_}[0] } }
             keys %Keys;

$Scopes{admin} = { map { $_ => 1 } qw( publish history moderate ) };

key_file(keys => join '', map { line($_) } sort keys %Keys);

play();


sub key {
    return sha256_hex("a secret of $_[0]");
}


sub line {
    my ($name, %now) = @_;

    my $user = $name eq 'again' ? 'bot' : $name;

    return "$user:sha256\$" . sha256_hex(key($name)) . ':'
           . join(':', $now{scopes} // $Keys{$name}[0],
                  $now{rooms} // $Keys{$name}[1], $now{time} // '-') . "\n";
}


# All lines, but those that are others now, or gone

sub file_with {
    my %now = @_;

    return replace_file('keys', join '', map {
        !exists $now{$_} ? line($_) : $now{$_} ? line($_, %{$now{$_}}) : ()
    } sort keys %Keys);
}


# The answer to what takes these scopes, and membership if it is said

sub may {
    my ($id, $key, $scope, $room, $joined) = @_;

    my $here = $room =~ /^in-/;

    my $lacks = grep { !$Scopes{$key}{$_} } split /\+/, $scope;

    return qq("type":"ok","id":$id) if $here && !$lacks;

    my $code = $joined && !$here ? 'not_joined' : 'forbidden';

    return qq("type":"error","id":$id,"code":"$code");
}


sub utc {
    my ($sec, $min, $hour, $day, $month, $year) = gmtime(time() + $_[0]);

    return sprintf '%04d-%02d-%02dT%02d:%02d:%02dZ', $year + 1900, $month + 1,
                   $day, $hour, $min, $sec;
}

__DATA__

=== TEST 1: each scope, each act, in a room of the key's and in another one
--- chat
o connect /chat?user=o&role=owner
o skip {"type":"welcome"}
for key reader writer mod full admin
x connect /chat?role=owner other=o | X-Api-Key: $(main::key($key))
x < {"type":"welcome","user":"$key"}
for place in out
set room = "$place-$key"
o > {"type":"join","id":1,"room":"$room"}
o skip {"type":"ok","id":1}
o > {"type":"send","id":2,"room":"$room","text":"one"}
o skip {"type":"ok","id":2,"seq":1}
x > {"type":"join","id":1,"room":"$room"}
x skip {$(main::may(1, $key, 'history', $room))}
x > {"type":"send","id":2,"room":"$room","text":"x"}
x skip {$(main::may(2, $key, 'publish', $room, 1))}
x > {"type":"react","id":3,"room":"$room","seq":1,"emoji":"+"}
x skip {$(main::may(3, $key, 'publish', $room, 1))}
x > {"type":"typing","id":4,"room":"$room"}
x skip {$(main::may(4, $key, 'publish', $room, 1))}
x > {"type":"history","id":5,"room":"$room"}
x skip {$(main::may(5, $key, 'history', $room, 1))}
x > {"type":"set","id":6,"room":"$room","topic":"of $key"}
x skip {$(main::may(6, $key, 'moderate', $room))}
x > {"type":"mute","id":7,"room":"$room","user":"o"}
x skip {$(main::may(7, $key, 'moderate', $room))}
x > {"type":"edit","id":8,"room":"$room","seq":1,"text":"y"}
x skip {$(main::may(8, $key, 'publish+moderate', $room))}
x > {"type":"delete","id":9,"room":"$room","seq":1}
x skip {$(main::may(9, $key, 'moderate', $room))}
end
x close
end



=== TEST 2: who reads nothing does not come in
--- chat
a refused 403 /chat | X-Api-Key: $(main::key('sender'))
a refused 403 /chat?user=alice | X-Api-Key: $(main::key('judge'))
a refused 403 /raw?room=in-1 | X-Api-Key: $(main::key('sender'))
log 3 ~refused with 403: without the scope "history" an API key reads nothing by WebSocket and is for the API alone
log ~for the API alone: "sender"



=== TEST 3: only rooms that it may join are listed
--- chat
o connect /chat?user=o
o skip {"type":"welcome"}
for room in-1 out in-shut
o > {"type":"join","id":1,"room":"$room"}
o skip {"type":"ok","id":1}
end
a connect /chat other=o | X-Api-Key: $(main::key('reader'))
a skip {"type":"welcome"}
a > {"type":"rooms","id":2,"prefix":"out"}
a < {"type":"ok","id":2,"rooms":[]}
a > {"type":"rooms","id":3,"prefix":"in-1"}
a < {"type":"ok","id":3,"rooms":[{"room":"in-1"}]}
b connect /rules | X-Api-Key: $(main::key('reader'))
b skip {"type":"welcome"}
b > {"type":"rooms","id":4}
b < {"type":"ok","id":4,"rooms":[{"room":"in-1"}]}



=== TEST 4: the rules and the key must both allow it
--- chat
a connect /rules | X-Api-Key: $(main::key('writer'))
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"in-1"}
a < {"type":"ok","id":1}
a > {"type":"join","id":2,"room":"in-shut"}
a < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"join","id":3,"room":"out"}
a < {"type":"error","id":3,"code":"forbidden"}
a > {"type":"send","id":4,"room":"in-1","text":"x"}
a < {"type":"error","id":4,"code":"forbidden"}
b connect /rules other=a
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"out"}
b < {"type":"ok","id":1}



=== TEST 5: direct messages go to inboxes that its patterns have
--- chat
bob connect /chat?user=bob
bob skip {"type":"welcome"}
carol connect /chat?user=carol other=bob
carol skip {"type":"welcome"}
w connect /chat | X-Api-Key: $(main::key('writer'))
w skip {"type":"welcome"}
w > {"type":"send","id":1,"to":"bob","text":"x"}
w < {"type":"error","id":1,"code":"forbidden"}
w > {"type":"typing","id":2,"to":"bob"}
w < {"type":"error","id":2,"code":"forbidden"}
w > {"type":"send","id":3,"to":"carol","text":"one"}
w < {"type":"ok","id":3,"room":"@writer","seq":1}
w < {"type":"message","room":"@writer","seq":1}
carol < {"type":"message","room":"@carol","user":"writer","text":"one"}
bob > {"type":"send","id":1,"to":"writer","text":"two"}
bob < {"type":"ok","id":1}
w < {"type":"message","room":"@writer","seq":2,"text":"two"}
w > {"type":"send","id":4,"to":"writer","text":"three"}
w < {"type":"ok","id":4,"seq":3}
w < {"type":"message","room":"@writer","seq":3}
w > {"type":"history","id":5,"room":"@writer"}
w < {"type":"ok","id":5,"messages":[{"seq":1},{"seq":2},{"seq":3}]}
w > {"type":"join","id":6,"room":"@writer"}
w < {"type":"ok","id":6}
w > {"type":"join","id":7,"room":"@carol"}
w < {"type":"error","id":7,"code":"forbidden"}
w > {"type":"edit","id":8,"room":"@writer","seq":1,"text":"four"}
w < {"type":"ok","id":8}
w < {"type":"edited","room":"@writer","target":1}
carol < {"type":"edited","room":"@carol","target":1,"text":"four"}
c connect /chat same=w | X-Api-Key: $(main::key('canary'))
c skip {"type":"welcome"}
ok main::file_with(writer => {rooms => 'in-*'}, canary => undef)
c closed 4001
w > {"type":"edit","id":9,"room":"@writer","seq":1,"text":"five"}
w < {"type":"error","id":9,"code":"forbidden"}
w > {"type":"delete","id":10,"room":"@writer","seq":1}
w < {"type":"error","id":10,"code":"forbidden"}
w > {"type":"delete","id":11,"room":"@writer","seq":3}
w < {"type":"ok","id":11}
w < {"type":"deleted","room":"@writer","target":3}
carol > {"type":"history","id":1,"room":"@carol"}
carol < {"type":"ok","id":1,"messages":[{"seq":1,"text":"four"},{"type":"edited"}]}



=== TEST 6: the room of the location
--- chat
a connect /room?room=in-1 | X-Api-Key: $(main::key('reader'))
a < {"type":"welcome"}
a < {"type":"joined","room":"in-1"}
b connect /room?room=out | X-Api-Key: $(main::key('reader'))
b < {"type":"welcome"}
b < {"type":"error","code":"forbidden"}
b > {"type":"join","id":1,"room":"in-1"}
b < {"type":"ok","id":1}



=== TEST 7: raw mode: no handshake, no sending
--- chat
a refused 403 /raw?room=out | X-Api-Key: $(main::key('writer'))
log ~refused with 403: the API key is not for the room: "out"
a connect /raw?room=in-1 | X-Api-Key: $(main::key('writer'))
b connect /raw?room=in-1 other=a | X-Api-Key: $(main::key('reader'))
b text no
b ping 1
b recv pong 1
a text yes
a recv text yes
b recv text yes
c connect /raw?room=out
c text yes
c recv text yes



=== TEST 8: a user's other key takes nothing back that it may not send
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a < {"type":"welcome","user":"bot"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a > {"type":"send","id":2,"room":"lobby","text":"one"}
a < {"type":"ok","id":2,"seq":1}
a < {"type":"message","seq":1}
b connect /chat other=a | X-Api-Key: $(main::key('again'))
b < {"type":"welcome","user":"bot"}
b > {"type":"edit","id":1,"room":"lobby","seq":1,"text":"x"}
b < {"type":"error","id":1,"code":"forbidden"}
b > {"type":"delete","id":2,"room":"lobby","seq":1}
b < {"type":"error","id":2,"code":"forbidden"}
a > {"type":"edit","id":3,"room":"lobby","seq":1,"text":"two"}
a < {"type":"ok","id":3}
a < {"type":"edited"}
a > {"type":"delete","id":4,"room":"lobby","seq":1}
a < {"type":"ok","id":4}



=== TEST 9: a key that is taken away, on all workers, and no other one
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a skip {"type":"welcome"}
b connect /chat?user=alice other=a | X-Api-Key: $(main::key('bot'))
b skip {"type":"welcome"}
raw connect /raw?room=in-1 | X-Api-Key: $(main::key('bot'))
new connect /chat | X-Api-Key: $(main::key('again'))
new < {"type":"welcome","user":"bot"}
o connect /chat?user=bot
o skip {"type":"welcome"}
ok main::file_with(bot => undef)
within 1s
a closed 4001
b closed 4001
raw closed 4001
end
a refused 401 /chat | X-Api-Key: $(main::key('bot'))
log 3 ~client's API key holds no longer
log ~API keys were read anew from ".*html/keys"
new > {"type":"ping","id":1}
new < {"type":"ok","id":1}
o > {"type":"ping","id":1}
o < {"type":"ok","id":1}



=== TEST 10: a key in whose place another one comes
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a skip {"type":"welcome"}
b connect /chat | X-Api-Key: $(main::key('reader'))
b skip {"type":"welcome"}
ok main::replace_file('keys', 'bot:sha256$' . main::sha256_hex('x' x 32) . ":admin:*:-\n")
a closed 4001
b closed 4001
a connect /chat | X-Api-Key: $('x' x 32)
a < {"type":"welcome","user":"bot"}



=== TEST 11: a file that is damaged takes nothing away
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a skip {"type":"welcome"}
ok main::replace_file('keys', "nonsense\n")
a nothing 1100ms
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
log ~the API keys of before go on to hold for ".*html/keys"
log ~holds no API keys: there are not five fields in line 1



=== TEST 12: scopes that become fewer
--- chat
a connect /chat | X-Api-Key: $(main::key('full'))
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"in-1"}
a < {"type":"ok","id":1,"role":"moderator"}
a > {"type":"set","id":2,"room":"in-1","locked":true}
a skip {"type":"ok","id":2}
b connect /chat other=a | X-Api-Key: $(main::key('writer'))
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"in-2"}
b < {"type":"ok","id":1}
c connect /chat same=a | X-Api-Key: $(main::key('canary'))
c skip {"type":"welcome"}
d connect /chat same=b | X-Api-Key: $(main::key('canary'))
d skip {"type":"welcome"}
ok main::file_with(full => {scopes => 'publish,history'}, \
                   writer => {scopes => 'history'}, canary => undef)
c closed 4001
d closed 4001
a > {"type":"set","id":3,"room":"in-1","locked":false}
a skip {"type":"error","id":3,"code":"forbidden"}
a > {"type":"send","id":4,"room":"in-1","text":"x"}
a skip {"type":"error","id":4,"code":"locked"}
b > {"type":"send","id":2,"room":"in-2","text":"x"}
b < {"type":"error","id":2,"code":"forbidden"}
b > {"type":"history","id":3,"room":"in-2"}
b < {"type":"ok","id":3,"messages":[]}



=== TEST 13: who may no longer be where he is has to go
--- chat
a connect /chat | X-Api-Key: $(main::key('full'))
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"in-1"}
a < {"type":"ok","id":1}
b connect /chat other=a | X-Api-Key: $(main::key('full'))
b skip {"type":"welcome"}
b > {"type":"join","id":1,"room":"in-2"}
b < {"type":"ok","id":1}
raw connect /raw?room=in-1 | X-Api-Key: $(main::key('full'))
ok main::file_with(full => {rooms => 'in-2,out'})
a closed 4001
raw closed 4001
a connect /chat same=b | X-Api-Key: $(main::key('full'))
a skip {"type":"welcome"}
b > {"type":"join","id":2,"room":"in-1"}
b < {"type":"error","id":2,"code":"forbidden"}
b > {"type":"join","id":3,"room":"out"}
b < {"type":"ok","id":3}
ok main::file_with(full => {scopes => 'publish'})
a closed 4001
b closed 4001



=== TEST 14: an owner by his key, and one by a directive
--- chat
a connect /chat | X-Api-Key: $(main::key('admin'))
a skip {"type":"welcome"}
a > {"type":"join","id":1,"room":"in-1"}
a < {"type":"ok","id":1,"role":"owner"}
b connect /chat?role=moderator same=a | X-Api-Key: $(main::key('admin'))
b skip {"type":"welcome"}
o connect /chat?user=o&role=owner
o skip {"type":"welcome"}
o > {"type":"join","id":1,"room":"in-1"}
o < {"type":"ok","id":1}
c connect /chat same=a | X-Api-Key: $(main::key('canary'))
c skip {"type":"welcome"}
ok main::file_with(admin => {scopes => 'publish,history'}, canary => undef)
c closed 4001
o > {"type":"ban","id":2,"room":"in-1","user":"admin"}
o skip {"type":"ok","id":2}
a skip {"type":"banned"}
a > {"type":"join","id":2,"room":"in-1"}
a < {"type":"error","id":2,"code":"banned"}
b > {"type":"join","id":1,"room":"in-2"}
b < {"type":"ok","id":1,"role":"moderator"}



=== TEST 15: its end is set anew
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a < {"type":"welcome","expires":"%absent"}
ok main::file_with(bot => {time => main::utc(6)})
a < {"type":"expiring"}
ok main::file_with()
a nothing 4s
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
ok main::file_with(bot => {time => main::utc(3)})
a < {"type":"expiring"}
a closed 4001
log ~client's API key has expired
a refused 401 /chat | X-Api-Key: $(main::key('bot'))
