
# Tests for chat_revoked: a line in a file puts a user, a session or a token
# out, on all workers, and keeps them out until it is taken away again.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

Test::Nginx::Chat::Token::secret_file();
Test::Nginx::Chat::Token::key_file('revoked', "# who is out\n");

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    chat_close_delay  0s;
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_revoked  ../html/revoked;
    }

    location /free {
        chat       chat;
        chat_user  $arg_user;
    }

    location /token {
        chat          chat;
        chat_jwt      key=../html/secret;
        chat_revoked  ../html/revoked;
    }

    location /later {
        chat          chat;
        chat_jwt      key=../html/secret;
        chat_guests   off;
        chat_auth_timeout  10s;
        chat_revoked  ../html/revoked;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      raw;
        chat_user      $arg_user;
        chat_revoked   ../html/revoked;
    }
_EOC_


sub file () {
    return Test::Nginx::Util::server_root() . '/html/revoked';
}


# as an operator does, by the shell's own >>

sub revoke (@) {
    my ($line) = @_;

    open my $out, '>>', file() or die "revoked: $!\n";
    syswrite $out, "$line\n";
    close $out;
}


sub forgive () {
    my $name = file();

    open my $out, '>', "$name.new" or die "revoked: $!\n";
    print $out "# nobody\n";
    close $out;
    rename "$name.new", $name or die "revoked: $!\n";
}


# as long as before, and with the same time of its last change

sub overwrite ($) {
    my ($line) = @_;

    open my $out, '+<', file() or die "revoked: $!\n";
    syswrite $out, "$line\n";
    close $out;
    utime 1e9, 1e9, file();
}


sub main::many {
    my ($n) = @_;

    revoke(join "\n", map { sprintf 'token %024d', $_ } 1 .. $n);

    return 1;
}


sub main::overwrite_now { overwrite($_[0]); 1 }
sub main::revoke_now { revoke(@_); 1 }
sub main::forgive_now { forgive(); 1 }


# until so much of a second has gone; which second it is then

sub main::moment {
    my ($fraction) = @_;

    my $now = Time::HiRes::time();
    my $then = int($now) + $fraction;

    $then++ if $then < $now;
    Time::HiRes::sleep($then - $now);

    return int $then;
}

play();

__DATA__

=== TEST 1: a user, on each worker, within a second, and at the door
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
again connect /chat?user=alice other=alice
again skip {"type":"welcome"}
raw connect /raw?user=alice
bob connect /chat?user=bob
bob skip {"type":"welcome"}
free connect /free?user=alice
free skip {"type":"welcome"}
ok main::revoke_now('user alice')
within 1s
alice closed 4003
again closed 4003
raw closed 4003
end
new refused 403 /chat?user=alice
log ~refused with 403: the user was revoked
bob > {"type":"ping","id":1}
bob < {"type":"ok","id":1}
free > {"type":"ping","id":1}
free < {"type":"ok","id":1}
log 3 ~client's session was revoked by its user
ok main::forgive_now()
log ~revocations were read anew from
bob nothing 1100ms
back connect /chat?user=alice
back < {"type":"welcome","user":"alice"}



=== TEST 2: a session, and no other of that user
--- chat
alice connect /chat?user=alice
alice < {"type":"welcome","session":"$sid"}
again connect /chat?user=alice other=alice
again skip {"type":"welcome"}
ok main::revoke_now("session $v{sid}")
within 1s
alice closed 4003
end
again nothing 600ms
again > {"type":"ping","id":1}
again < {"type":"ok","id":1}
new connect /chat?user=alice
new < {"type":"welcome"}



=== TEST 3: a token, and no other of that user
--- chat
a connect /token?token=$(main::token(sub => 'alice', jti => 'one'))
a < {"type":"welcome","user":"alice"}
b connect /token?token=$(main::token(sub => 'alice', jti => 'two')) other=a
b < {"type":"welcome","user":"alice"}
c connect /token?token=$(main::token(sub => 'alice', jti => 'one')) same=b
c < {"type":"welcome","user":"alice"}
ok main::revoke_now('token one')
within 1s
a closed 4001
c closed 4001
end
new refused 401 /token?token=$(main::token(sub => 'alice', jti => 'one'))
b > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice', jti => 'one'))"}
b < {"type":"error","id":1,"code":"unauthorized"}
b > {"type":"auth","id":2,"token":"$(main::token(sub => 'alice', jti => 'three'))"}
b < {"type":"ok","id":2}
ok main::revoke_now('token two')
b nothing 1100ms
ok main::revoke_now('token three')
within 1s
b closed 4001
end
c connect /later
c > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice', jti => 'two'))"}
c < {"type":"error","id":1,"code":"unauthorized"}
c > {"type":"auth","id":2,"token":"$(main::token(sub => 'alice', jti => 'four'))"}
c < {"type":"welcome","user":"alice"}



=== TEST 4: a user's sessions and tokens of before, not those of after
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
set now = time()
t connect /token?token=$(main::token(sub => 'alice', iat => $now + 5))
t skip {"type":"welcome"}
set past = $now - 100
ok main::revoke_now("user alice $v{past}")
alice nothing 1100ms
new refused 403 /token?token=$(main::token(sub => 'alice', iat => $past - 1))
new connect /token?token=$(main::token(sub => 'alice', iat => $past))
new skip {"type":"welcome"}
set soon = time() + 1
ok main::revoke_now("user alice $v{soon}")
within 1s
alice closed 4003
new closed 4003
t closed 4003
end



=== TEST 5: who came at the end of the second before
--- chat
set before = main::moment(0.8)
alice connect /chat?user=alice
alice skip {"type":"welcome"}
set now = main::moment(0.1)
ok main::revoke_now("user alice $v{now}")
within 1s
alice closed 4003
end



=== TEST 6: names with blanks, and lines that are none
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
john connect /token?token=$(main::token(sub => 'John "J" Smith'))
john < {"type":"welcome"}
ok main::revoke_now('usr alice')
log ~line 3 of "[^"]+/html/revoked" is left out, it is none of
ok main::revoke_now("user\nsession a b\nuser alice x\n\"user alice\nuser \"John \\\"J\\\" Smith\"  # he")
within 1s
john closed 4003
end
alice nothing 600ms
log ~line 4 of "[^"]+/html/revoked" is left out, it is none of
log ~line 5 of "[^"]+/html/revoked" is left out, it is none of
log ~line 6 of "[^"]+/html/revoked" is left out, it is none of
log ~line 7 of "[^"]+/html/revoked" is left out, it is none of
alice > {"type":"ping","id":1}
alice < {"type":"ok","id":1}



=== TEST 7: over a reload
--- chat
alice connect /chat?user=alice
alice skip {"type":"welcome"}
ok main::revoke_now('user bob')
alice nothing 1100ms
bob refused 403 /chat?user=bob
nginx reload
alice skip {"type":"bye"}
alice closed 1012
nginx renewed
bob refused 403 /chat?user=bob
alice connect /chat?user=alice
alice skip {"type":"welcome"}
ok main::revoke_now('user alice')
within 1s
alice closed 4003
end



=== TEST 8: a file of the same size, whose time was set back
--- chat
ok main::forgive_now()
ok main::overwrite_now('# nobody')
bob connect /chat?user=bob
bob skip {"type":"welcome"}
bob nothing 1100ms
ok main::overwrite_now('user bob')
within 1s
bob closed 4003
end



=== TEST 9: several lines of one user: the latest time, or for good
--- chat
ok main::forgive_now()
alice connect /chat?user=alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob
bob skip {"type":"welcome"}
set soon = time() + 60
ok main::revoke_now("user alice $v{soon}\nuser alice 1\nuser bob\nuser bob 1")
within 1s
alice closed 4003
bob closed 4003
end



=== TEST 10: as many as a busy place has in a month, and no more
--- chat
ok main::forgive_now()
alice connect /chat?user=alice
alice skip {"type":"welcome"}
bob connect /chat?user=bob
bob skip {"type":"welcome"}
ok main::many(100_000)
ok main::revoke_now('user alice')
alice closed 4003
log no ~will not be read
ok main::many(20_000)
log ~revoked" has 3\d{6} bytes, and will not be read with more than 4096k
ok main::many(20_000)
ok main::revoke_now('user bob')
log ~is no file, or larger than 4096k
alice refused 403 /chat?user=alice
bob > {"type":"ping","id":1}
bob < {"type":"ok","id":1}
ok main::forgive_now()



=== TEST 11: mistakes
--- chat
conf bad location: chat chat; chat_revoked nowhere; => ~nowhere" failed
conf bad location: chat chat; chat_revoked off; chat_revoked off; => ~"chat_revoked" directive is duplicate
conf good location: chat chat; chat_revoked off;
