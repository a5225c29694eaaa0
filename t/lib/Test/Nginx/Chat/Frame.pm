package Test::Nginx::Chat::Frame;

# WebSocket frames as a test needs them: built field by field, right or
# wrong on purpose, and parsed strictly, as RFC 6455 wants a server to send.

use v5.10.1;
use strict;
use warnings;

our %OPCODE = (
    continuation => 0, text => 1, binary => 2, close => 8, ping => 9,
    pong => 10,
);

our %KIND = reverse %OPCODE;


# Fields: op, fin, rsv (0-7, RSV1 is 4), mask, key (4 bytes), payload;
# len: the announced length, where it is to differ from the payload's;
# form: 7, 16 or 64, where the length is not to be in its shortest form.

sub build {
    my (%f) = @_;

    my $payload = $f{payload} // '';
    my $len = $f{len} // length $payload;
    my $form = $f{form} // ($len < 126 ? 7 : $len < 65536 ? 16 : 64);
    my $mask = $f{mask} // 1;

    my $head = pack 'C', (($f{fin} // 1) << 7) | (($f{rsv} // 0) << 4)
                         | ($f{op} // 1);
    my $bit = $mask ? 0x80 : 0;

    if ($form == 7) {
        $head .= pack 'C', $bit | ($len & 0x7f);

    } elsif ($form == 16) {
        $head .= pack 'Cn', $bit | 126, $len;

    } else {
        $head .= pack 'CQ>', $bit | 127, $len;
    }

    if ($mask) {
        my $key = $f{key} // pack 'N', int rand 0xffffffff;
        $head .= $key;
        $payload = mask($payload, $key);
    }

    return $head . $payload;
}


sub mask {
    my ($payload, $key) = @_;

    my $n = length $payload;

    return "$payload" ^ substr($key x (int($n / 4) + 1), 0, $n);
}


# Takes one whole frame away from the front of $$buf.  Returns undef while
# it is not there; dies where a server may not send such a frame.

sub parse {
    my ($buf) = @_;

    my $have = length $$buf;
    return if $have < 2;

    my ($b0, $b1) = unpack 'CC', $$buf;
    my ($fin, $rsv, $op) = ($b0 >> 7, ($b0 >> 4) & 7, $b0 & 15);
    my $len = $b1 & 0x7f;
    my $at = 2;

    die "server masked a frame\n" if $b1 & 0x80;
    die "server sent opcode $op\n" if !defined $KIND{$op};

    if ($len == 126) {
        return if $have < 4;
        $len = unpack 'n', substr $$buf, 2, 2;
        $at = 4;
        die "length $len in a long form\n" if $len < 126;

    } elsif ($len == 127) {
        return if $have < 10;
        $len = unpack 'Q>', substr $$buf, 2, 8;
        $at = 10;
        die "length $len in a long form\n" if $len < 65536;
    }

    die "server sent a control frame of $len bytes\n" if $op > 7 && $len > 125;
    die "server fragmented a control frame\n" if $op > 7 && !$fin;

    return if $have < $at + $len;

    my $payload = substr $$buf, $at, $len;
    substr $$buf, 0, $at + $len, '';

    return { fin => $fin, rsv => $rsv, op => $op, payload => $payload };
}


1;
