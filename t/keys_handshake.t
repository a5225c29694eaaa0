
# Tests for API keys in the handshake, and for their file.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
    log_format full '$request $request_uri $args';
    access_log logs/full.log full;
_EOC_

default_config(<<'_EOC_');
    location /chat {
        chat           chat;
        chat_api_keys  ../html/keys;
        chat_guests    off;
    }

    location /both {
        chat           chat;
        chat_api_keys  ../html/keys;
        chat_jwt       key=../html/secret;
    }

    location /user {
        chat            chat;
        chat_api_keys   ../html/keys;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
    }
_EOC_

# The secrets of these names

my %Key = map { $_ => sha256_hex("a secret of $_") }
          qw( bot mod admin old late writer again base64 );

# one that can be tried out, whatever the file says

$Key{short} = substr $Key{bot}, 0, 31;

my $Base64 = MIME::Base64::encode_base64(Digest::SHA::sha256($Key{base64}), '');

secret_file();
key_file(keys => <<"_EOC_");
# name:hash:scopes:rooms:time

@{[ line('bot', 'publish,history', '*', '-') ]}
@{[ line('mod', 'history,publish,moderate', 'a*,*', '') ]}\r
@{[ line('admin', 'admin', '*', '2099-12-31') ]}
@{[ line('old', 'admin', '*', '2020-02-29T12:00:00Z') ]}
@{[ line('writer', 'publish', '*', '-') ]}
@{[ line('short', 'admin', '*', '-') ]}
bot:sha256\$@{[ sha256_hex($Key{again}) ]}:publish,history:*:-
base64:sha256\$$Base64:admin:*:-
_EOC_

play();


sub key { return $Key{$_[0]} }


sub line {
    my ($name, $scopes, $rooms, $time) = @_;

    return "$name:sha256\$" . sha256_hex($Key{$name}) . ":$scopes:$rooms:$time";
}


sub write_keys {
    my ($script, @lines) = @_;

    replace_file('keys', join '', map { "$_\n" } @lines);
}


# A good line, and behind it a bad one

sub write_bad {
    my ($script, $line) = @_;

    replace_file('bad', line('bot', 'admin', '*', '-') . "\n$line\n");
}


sub bad {
    my $hash = 'sha256$' . '0' x 64;
    (my $short = $hash) =~ s/0$//;
    (my $other = $hash) =~ s/256/512/;
    (my $letter = $hash) =~ s/0$/g/;

    return join ' ',
           'nonsense', "a:$hash", "a:$hash:admin:*", ":$hash:admin:*:-",
           'x' x 65 . ":$hash:admin:*:-", "a:$short:admin:*:-",
           "a:$other:admin:*:-", "a:$letter:admin:*:-", "a:sha256\$:admin:*:-",
           "a:$hash\::*:-", "a:$hash:king:*:-", "a:$hash:admin,:*:-",
           "a:$hash:admin::-", map { "a:$hash:admin:*:$_" }
           qw( x 2027 2027-13-01 2027-02-29 2027-1-1 2027-01-01T 2027-01-01x
               2027-01-01T24:00:00Z 2027-01-01T00:00:00 2027-01-01T00:00:00Zx
               1795252596 );
}


sub until_status {
    my ($script, $name, $wanted) = @_;

    my $end = Time::HiRes::time() + 5 * $script->{slowness};
    my %seen;

    until (keys %seen == 2) {
        die "not in time\n" if Time::HiRes::time() > $end;

        my ($status, $worker) =
            Test::Nginx::Chat::Token::handshake($script->{port}, '/chat',
                                                "X-Api-Key: $Key{$name}");

        $seen{$worker} = 1 if $status == $wanted;
        select undef, undef, undef, 0.02;
    }
}

__DATA__

=== TEST 1: who it is, and what it may do
--- chat
a connect /chat | X-Api-Key: $(main::key('bot'))
a < {"type":"welcome","user":"bot","guest":false,"expires":"%absent"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"member"}
b connect /chat other=a | Authorization: Bearer $(main::key('mod'))
b < {"type":"welcome","user":"mod"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1,"role":"moderator"}
c connect /chat | Sec-WebSocket-Protocol: chat.v1, bearer.$(main::key('admin'))
c < {"type":"welcome","user":"admin","expires":$(1000 * 4102444800)}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"role":"owner"}
d connect /chat?token=$(main::key('again'))
d < {"type":"welcome","user":"bot"}
e connect /chat | X-Api-Key: $(main::key('base64'))
e < {"type":"welcome","user":"base64"}



=== TEST 2: who is not let in
--- chat
a refused 401 /chat
a header WWW-Authenticate: Bearer
a refused 401 /chat | X-Api-Key: $('0' x 64)
a header WWW-Authenticate: Bearer
a refused 401 /chat | X-Api-Key: $(main::sha256_hex(main::key('bot')))
a refused 401 /chat | X-Api-Key: $(substr main::key('bot'), 0, 63)
a refused 401 /chat | X-Api-Key: $(main::key('bot') . '0')
a refused 401 /chat | X-Api-Key: $(main::key('old'))
a refused 401 /chat | X-Api-Key: $(main::key('late'))
a refused 401 /chat | X-Api-Key: x
a refused 403 /chat | X-Api-Key: $(main::key('writer'))
a refused 401 /chat | X-Api-Key: $(main::key('short'))
log ~the API key is unknown, or its time is over
log ~without the scope "history" an API key reads nothing



=== TEST 3: beside tokens
--- chat
a connect /both | Authorization: Bearer $(main::key('bot'))
a < {"type":"welcome","user":"bot"}
a > {"type":"auth","id":1,"token":"$(main::token(sub => 'alice'))"}
a < {"type":"error","id":1,"code":"unauthorized"}
a > {"type":"auth","id":2,"token":"$(main::token(sub => 'bot'))"}
a < {"type":"error","id":2,"code":"unauthorized"}
log ~client's new token was refused: it came with an API key
a connect /both | Authorization: Bearer $(main::token(sub => 'alice'))
a < {"type":"welcome","user":"alice"}
a connect /both
a < {"type":"welcome","guest":true}
a refused 401 /both | Authorization: Bearer $('0' x 64)
a refused 401 /both | X-Api-Key: $(main::token(sub => 'alice'))



=== TEST 4: directives come before what the key says
--- chat
a connect /user?user=u1&role=member | X-Api-Key: $(main::key('admin'))
a < {"type":"welcome","user":"u1"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"role":"member"}
a refused 401 /user?user=u1 | X-Api-Key: nonsense



=== TEST 5: no key in any log
--- chat
a connect /chat?token=$(main::key('bot'))
a < {"type":"welcome","user":"bot"}
a refused 401 /chat?token=$('abcdef' x 8)
a refused 401 /chat | X-Api-Key: $('abcdef' x 8)
log in full.log 2 ~token=\*+ HTTP
log in full.log no ~$(main::key('bot'))
log in full.log no ~abcdefabcdef
log no ~$(main::key('bot'))
log no ~abcdefabcdef



=== TEST 6: a file that changes, without a reload, in each worker
--- chat
perl until_status bot 101
perl write_keys $(main::line('late', 'admin', '*', '-'))
perl until_status late 101
perl until_status bot 401
log ~API keys were read anew from ".*html/keys"
perl write_keys nonsense
a connect /chat | X-Api-Key: $(main::key('late'))
a < {"type":"welcome","user":"late"}
log no ~$(main::key('late'))
perl write_keys
perl until_status late 401



=== TEST 7: what is wrong with a file
--- chat
set good = main::line('bot', 'admin', '*', '-')
for bad $(main::bad())
perl write_bad $bad
conf bad chat: chat_api_keys ../html/bad; => ~"[^"]*/bad" holds no API keys: .* in line 2
end
conf bad chat: chat_api_keys ../html/missing; => ~open\(\) ".*missing" failed
conf bad chat: chat_api_keys off; chat_api_keys off; => ~is duplicate
conf good server: chat_api_keys ../html/keys; location /x { chat chat; chat_api_keys off; }
perl write_bad $good
conf bad chat: chat_api_keys ../html/bad; => ~the same hash is there twice in line 2
