
# Tests for the files that tokens are verified by: each kind of key, sets of
# them, and what happens when a file changes while nginx runs.

use lib 't/lib';
use Test::Nginx::Chat;
use Test::Nginx::Chat::Token;

use POSIX ();

default_http_config(<<'_EOC_');
    chat_zone  chat:2m;
_EOC_

default_config(<<'_EOC_');
    location /secret {
        chat      chat;
        chat_jwt  key=../html/secret;
    }

    location /pem {
        chat      chat;
        chat_jwt  key=../html/pem;
    }

    location /set {
        chat      chat;
        chat_jwt  jwks=../html/set;
    }
_EOC_

my %Key;
my $Pem = '';

for my $kind (qw( rsa p256 p384 p521 ed )) {
    ($Key{$kind}, my $pem) = key_pair($kind);
    $Pem .= $pem;
}

my ($Other) = key_pair('p256');

secret_file();
key_file(pem => $Pem);
key_file(set => jwks('one'));
play();


sub key {
    return $Key{$_[0]};
}


sub other {
    return $Other;
}


# A set of one secret with that kid, which is repeated to 40 bytes

sub jwks {
    my ($kid) = @_;

    return sprintf '{"keys":[{"kty":"oct","kid":"%s","k":"%s"}]}', $kid,
                   MIME::Base64::encode_base64url(secret_of($kid));
}


sub secret_of {
    return substr($_[0] x 40, 0, 40);
}


sub of {
    my ($kid, $user) = @_;

    return token({secret => secret_of($kid), header => {kid => $kid}},
                 sub => $user // 'alice');
}


sub root {
    return Test::Nginx::Util::server_root();
}


sub change { replace_file($_[1], jwks($_[2])) }

sub broken { replace_file($_[1], '{"keys":[') }

sub write_file { replace_file($_[1], $_[2]) }

sub write_private { replace_file('private', scalar slurp($Key{p256})) }

sub write_fifo {
    my ($script, $name) = @_;

    POSIX::mkfifo(path("$name.fifo"), 0666) or die "$name: $!\n";

    return rename path("$name.fifo"), path($name);
}


sub path { return root() . "/html/$_[0]" }

sub gone { unlink root() . "/html/$_[1]" or die "$_[1]: $!\n" }


sub slurp {
    open my $in, '<', $_[0] or die "$_[0]: $!\n";
    local $/;

    return <$in>;
}


# Both workers let that kid's token in, after a while: each of them looks at
# the file when it needs it, and once a second at most.

sub accepted {
    my ($script, $uri, $kid) = @_;

    my %seen;

    again($script, sub {
        my ($status, $worker) = handshake($script, $uri, of($kid));

        $seen{$worker} = 1 if $status == 101;
        return keys %seen == 2;
    });
}


# What the log says as soon as somebody comes

sub says {
    my ($script, @words) = @_;

    again($script, sub {
        handshake($script, '/set', of('one'));
        return $script->{server}->count_log(qr/\Q@words\E/);
    });
}


sub again {
    my ($script, $done) = @_;

    my $end = Time::HiRes::time() + 5 * $script->{slowness};

    until ($done->()) {
        die "not in time\n" if Time::HiRes::time() > $end;
        select undef, undef, undef, 0.02;
    }
}


sub handshake {
    my ($script, $uri, $token) = @_;

    return Test::Nginx::Chat::Token::handshake($script->{port}, $uri,
                                               "Authorization: Bearer $token");
}

__DATA__

=== TEST 1: each algorithm, by the openssl program
--- chat
for alg RS256 RS384 RS512 PS256 PS384 PS512
set t = main::token({alg => $alg, key => main::key('rsa')}, sub => $alg)
a connect /pem?token=$t
a < {"type":"welcome","user":"$alg"}
a refused 401 /secret?token=$t
end
set t = main::token({alg => 'ES256', key => main::key('p256')}, sub => 'a')
a connect /pem?token=$t
a < {"type":"welcome","user":"a"}
set t = main::token({alg => 'ES384', key => main::key('p384')}, sub => 'b')
a connect /pem?token=$t
a < {"type":"welcome","user":"b"}
set t = main::token({alg => 'ES512', key => main::key('p521')}, sub => 'c')
a connect /pem?token=$t
a < {"type":"welcome","user":"c"}
set t = main::token({alg => 'EdDSA', key => main::key('ed')}, sub => 'd')
a connect /pem?token=$t
a < {"type":"welcome","user":"d"}
set t = main::token({alg => 'ES256', key => main::other()}, sub => 'a')
a refused 401 /pem?token=$t
for alg HS256 HS384 HS512
set t = main::token({alg => $alg}, sub => $alg)
a connect /secret?token=$t
a < {"type":"welcome","user":"$alg"}
a refused 401 /pem?token=$t
end



=== TEST 2: the public key's text is no secret
--- chat
set pem = do { local (@ARGV, $/) = main::root() . '/html/pem'; <> }
a refused 401 /pem?token=$(main::token({secret => $pem}, sub => 'mallory'))
a refused 401 /pem?token=$(main::token({secret => substr($pem, 0, -1)}, sub => 'mallory'))



=== TEST 3: a set that is changed holds without a reload, in each worker
--- chat
a connect /set?token=$(main::of('one'))
a < {"type":"welcome","user":"alice"}
b connect /set?token=$(main::of('one')) other=a
b < {"type":"welcome","user":"alice"}
a refused 401 /set?token=$(main::of('two'))
perl change set two
perl accepted /set two
c connect /set?token=$(main::of('two'))
c < {"type":"welcome","user":"alice"}
d connect /set?token=$(main::of('two')) other=c
d < {"type":"welcome","user":"alice"}
b > {"type":"ping","id":1}
b < {"type":"ok","id":1}
log ~keys were read anew from ".*html/set"



=== TEST 4: one that is no good, or gone, leaves the old keys
--- chat
a connect /set?token=$(main::of('one'))
a < {"type":"welcome"}
perl broken set
perl says the keys of before go on to hold
a connect /set?token=$(main::of('one'))
a < {"type":"welcome"}
log ~holds no keys: the text ends too early
perl gone set
perl says failed, its keys of before go on to hold
a connect /set?token=$(main::of('one'))
a < {"type":"welcome"}
perl change set one
a connect /set?token=$(main::of('one'))
a < {"type":"welcome"}
perl change set two
perl accepted /set two
log no ~$(main::secret_of('one'))



=== TEST 5: what no location is started with
--- chat
conf bad chat: chat_jwt key=nothing; => ~open\(\) ".*nothing" failed
conf bad chat: chat_jwt key=.; => ~is no file, or larger than 256k
conf bad chat: chat_jwt key=../html/set; => ~it is JSON: a set of keys is given by "jwks="
conf bad chat: chat_jwt jwks=../html/pem; => ~holds no keys: not an object
conf bad chat: chat_jwt jwks=../html/secret; => ~holds no keys: not an object
perl write_file short abc
conf bad chat: chat_jwt key=../html/short; => ~the secret is shorter than 32
perl write_private
conf bad chat: chat_jwt key=../html/private; => ~it holds a private key
conf good chat: chat_jwt key=../html/pem alg=RS256,ES256 alg=EdDSA;
conf good chat: chat_jwt key=../html/pem alg=HS256; => ~no key in "chat_jwt key=../html/pem" is for the algorithms of "alg="
conf good chat: chat_jwt key=../html/secret alg=RS256,ES256; => ~no key in
perl write_file none {"keys":[]}
conf good chat: chat_jwt jwks=../html/none; => ~there is no key in ".*/html/none", nobody's token is good
conf bad chat: chat_jwt key=../html/pem alg=none; => ~invalid value "alg=none" in "chat_jwt".*HS256
conf bad chat: chat_jwt key=../html/pem alg=RS256,; => ~invalid value "alg=RS256,"
conf bad chat: chat_jwt key=../html/pem alg=; => ~invalid value "alg="
conf bad chat: chat_jwt ../html/pem; => ~it must be "off", "key=file" or "jwks=file"
conf bad chat: chat_jwt key=; => ~it must be "off", "key=file" or "jwks=file"
conf bad chat: chat_jwt off alg=RS256; => ~invalid value "alg=RS256"
conf bad chat: chat_jwt off; chat_jwt off; => ~is duplicate
conf good server: chat_jwt key=../html/secret; location /x { chat chat; chat_jwt off; }
conf bad chat: chat_jwt_claims x=y; => ~it must be "iss=name", "aud=name" or one "leeway=time"
conf bad chat: chat_jwt_claims iss=; => ~it must be "iss=name"
conf bad chat: chat_jwt_claims leeway=2h; => ~a time up to 1h
conf bad chat: chat_jwt_claims leeway=x; => ~a time up to 1h
conf good chat: chat_jwt_claims leeway=0s;
conf bad chat: chat_jwt_claims leeway=1s leeway=2s; => ~invalid value "leeway=2s".*or one "leeway=time"
conf bad chat: chat_jwt_claims iss=a; chat_jwt_claims aud=b; => ~is duplicate
conf bad chat: chat_auth_timeout 2h; => ~a time up to 1h
conf good chat: chat_auth_timeout 5s; => ~"chat_auth_timeout" waits for nobody here
conf good chat: chat_jwt key=../html/secret; chat_auth_timeout 5s; => ~"chat_auth_timeout" waits for nobody here
conf good chat: chat_jwt key=../html/secret; chat_guests off; chat_auth_timeout 5s;



=== TEST 6: the keys are the location's, and inherited
--- config
    chat_jwt  key=../html/secret;
    location /one { chat chat; }
    location /two { chat chat; chat_jwt jwks=../html/set alg=HS256; }
    location /off { chat chat; chat_jwt off; }
    location /algs { chat_jwt key=../html/secret alg=HS384; location /algs/in { chat chat; } }
--- chat
set s = main::token(sub => 'alice')
a connect /one?token=$s
a < {"type":"welcome","user":"alice"}
a refused 401 /two?token=$s
a connect /two?token=$(main::of('one'))
a < {"type":"welcome","user":"alice"}
a refused 401 /one?token=$(main::of('one'))
a connect /off?token=$s
a < {"type":"welcome","guest":true}
a refused 401 /algs/in?token=$s
a connect /algs/in?token=$(main::token({alg => 'HS384'}, sub => 'alice'))
a < {"type":"welcome","user":"alice"}



=== TEST 7: a claim that is asked for before the location is known
--- config
    set $early "<$chat_jwt_claim_sub>";
    location /chat { chat chat; chat_jwt key=../html/secret; chat_user_name $early; }
--- chat
a connect /chat | Authorization: Bearer $(main::token(sub => 'alice'))
a < {"type":"welcome","user":"alice","name":"<>"}



=== TEST 8: a pipe instead of a file stops nobody
--- chat
perl write_fifo set
perl says is no file
a connect /set?token=$(main::of('one'))
a < {"type":"welcome","user":"alice"}
b connect /set?token=$(main::of('one')) other=a
b < {"type":"welcome","user":"alice"}
