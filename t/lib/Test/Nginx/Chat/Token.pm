package Test::Nginx::Chat::Token;

# Tokens for tests, and the files of keys that they are verified by.  What a
# conversation calls is in main.

use v5.10.1;
use strict;
use warnings;

use Digest::SHA ();
use Exporter 'import';
use File::Temp ();
use IO::Socket::INET ();
use JSON::PP ();
use MIME::Base64 ();

use Test::Nginx::Util ();

our @EXPORT = qw( token secret_file key_file replace_file secret key_pair
                  sha256_hex );

my $Secret = join '', map { sprintf '%02x', $_ } 1 .. 40;

my %Hmac = (HS256 => \&Digest::SHA::hmac_sha256,
            HS384 => \&Digest::SHA::hmac_sha384,
            HS512 => \&Digest::SHA::hmac_sha512);


sub secret {
    return $Secret;
}


sub sha256_hex {
    return Digest::SHA::sha256_hex(@_);
}


# token({alg =>, secret =>, key =>, header => {...}}, claim => value, ...)

sub token {
    my $how = ref $_[0] ? shift : {};
    my %claims = @_;

    my $alg = $how->{alg} // 'HS256';
    my $json = JSON::PP->new->canonical;
    my $input = encode($json->encode({alg => $alg, %{$how->{header} // {}}}))
                . '.' . encode($json->encode(\%claims));

    my $signature = $alg eq 'none' ? ''
                    : $Hmac{$alg} ? $Hmac{$alg}->($input, $how->{secret}
                                                          // $Secret)
                    : sign($alg, $how->{key}, $input);

    return $input . '.' . encode($signature);
}


sub encode {
    return MIME::Base64::encode_base64url($_[0]);
}


# By the openssl program, with a private key's file

sub sign {
    my ($alg, $key, $input) = @_;

    my $file = File::Temp->new;
    print $file $input;
    $file->flush;

    my ($bits) = $alg =~ /(\d+)$/;

    if ($alg eq 'EdDSA') {
        return scalar `openssl pkeyutl -sign -rawin -inkey $key -in $file`;
    }

    my $pss = $alg =~ /^PS/ ? '-sigopt rsa_padding_mode:pss '
                              . '-sigopt rsa_pss_saltlen:digest' : '';
    my $signature = `openssl dgst -sha$bits $pss -sign $key $file`;

    return $alg =~ /^ES/ ? raw($signature, {256 => 32, 384 => 48,
                                            512 => 66}->{$bits})
                         : $signature;
}


# DER's two numbers, each in n bytes

sub raw {
    my ($der, $n) = @_;

    my $pos = ord(substr $der, 1, 1) & 0x80 ? 3 : 2;
    my $raw = '';

    for (1 .. 2) {
        my $len = ord substr $der, $pos + 1, 1;
        my $number = substr $der, $pos + 2, $len;

        $number =~ s/^\0+//;
        $raw .= "\0" x ($n - length $number) . $number;
        $pos += 2 + $len;
    }

    return $raw;
}


# A private key in a file, and its public one's PEM

sub key_pair {
    my ($kind) = @_;

    my %options = (rsa => '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
                   ed => '-algorithm ed25519',
                   map { ("p$_" => '-algorithm EC -pkeyopt ec_paramgen_curve:P-'
                                   . $_) } 256, 384, 521);

    my $file = File::Temp->new(UNLINK => 1);

    system("openssl genpkey $options{$kind} -out $file 2>/dev/null") == 0
        or die "openssl makes no key\n";

    return ($file, scalar `openssl pkey -in $file -pubout`);
}


# A file beside the server's pages, there before each block's nginx starts

sub key_file {
    my ($name, $text) = @_;

    Test::Nginx::Chat::add_block_preprocessor(sub {
        my ($block) = @_;

        $block->set_value('user_files',
                          ($block->user_files // '') . ">>> $name\n$text\n");
    });
}


sub secret_file {
    key_file('secret', $Secret);
}


# As it ought to be done: never half of it is to be read

sub replace_file {
    my ($name, $text) = @_;

    my $path = Test::Nginx::Util::server_root() . "/html/$name";

    open my $out, '>', "$path.new" or die "$path.new: $!\n";
    print $out $text;
    close $out or die "$path.new: $!\n";

    rename "$path.new", $path or die "$path: $!\n";

    return 1;
}


# A handshake and no more: its status, and the worker that answered

sub handshake {
    my ($port, $uri, $header) = @_;

    my $socket = IO::Socket::INET->new("127.0.0.1:$port")
        or die "no connection: $!\n";

    print $socket "GET $uri HTTP/1.1\r\nHost: localhost\r\n"
                  . "Upgrade: websocket\r\nConnection: upgrade\r\n"
                  . "Sec-WebSocket-Version: 13\r\n"
                  . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                  . "$header\r\n\r\n";

    local $/ = "\r\n\r\n";
    my ($status, $worker) = <$socket> =~ m{^HTTP/1.1 (\d+).*X-Worker: (\d+)}s
        or die "no answer\n";

    return ($status, $worker);
}


1;
