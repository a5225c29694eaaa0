package Test::Nginx::Chat::Match;

# "Is this JSON at least that JSON": objects match by subset, arrays and
# scalars whole.  In what is expected, strings may stand for more:
#
#   "$name"     captures the value, or compares with what was captured
#   "%any"      the field is there       "%absent"   the field is not there
#   "%int" "%number" "%string" "%bool" "%null" "%object" "%array"
#   "%~regex"   a string that matches
#   "%[n]"      an array of n elements
#   "%>n" "%>=n" "%<n" "%<=n"

use v5.10.1;
use strict;
use warnings;

use B ();
use JSON::PP ();

my $Reader = JSON::PP->new->utf8->allow_nonref;
my $Writer = JSON::PP->new->utf8->allow_nonref->canonical;

my %Order = (
    '>'  => sub { $_[0] >  $_[1] },
    '>=' => sub { $_[0] >= $_[1] },
    '<'  => sub { $_[0] <  $_[1] },
    '<=' => sub { $_[0] <= $_[1] },
);


sub decode {
    my ($text) = @_;

    my $value = eval { $Reader->decode($text) };
    die "not JSON: $@" if $@;

    return $value;
}


sub encode { $Writer->encode($_[0]) }


# undef where $got is at least $want, else what differs, with its path.

sub differs {
    my ($got, $want, $vars, $path) = @_;

    $path //= '';

    return hash_differs($got, $want, $vars, $path) if ref $want eq 'HASH';
    return array_differs($got, $want, $vars, $path) if ref $want eq 'ARRAY';

    if (defined $want && !ref $want && !is_number($want)) {
        return var_differs($got, $1, $vars, $path) if $want =~ /^\$(\w+)$/;
        return test_differs($got, $1, $path)
            if $want =~ /^%(?=[a-z~\[<>])(.+)/s;
    }

    return if kind($got) eq kind($want)
              && (!defined $want || encode($got) eq encode($want));

    return "$path is " . encode($got) . ", not " . encode($want);
}


sub hash_differs {
    my ($got, $want, $vars, $path) = @_;

    return "$path is no object: " . encode($got) if ref $got ne 'HASH';

    for my $key (sort keys %$want) {
        my $w = $want->{$key};

        if (!exists $got->{$key}) {
            next if defined $w && !ref $w && $w eq '%absent';
            return "$path.$key is missing";
        }

        my $error = differs($got->{$key}, $w, $vars, "$path.$key");
        return $error if $error;
    }

    return;
}


sub array_differs {
    my ($got, $want, $vars, $path) = @_;

    return "$path is no array: " . encode($got) if ref $got ne 'ARRAY';
    return "$path has " . @$got . " elements, not " . @$want
        if @$got != @$want;

    for my $i (0 .. $#$want) {
        my $error = differs($got->[$i], $want->[$i], $vars, "$path\[$i]");
        return $error if $error;
    }

    return;
}


sub var_differs {
    my ($got, $name, $vars, $path) = @_;

    if (!exists $vars->{$name}) {
        $vars->{$name} = ref $got ? encode($got) : $got;
        return;
    }

    my $have = ref $got ? encode($got) : $got;
    return if defined $have && $have eq $vars->{$name};

    return "$path is " . encode($got) . ", not \$$name = $vars->{$name}";
}


sub test_differs {
    my ($got, $test, $path) = @_;

    my $kind = kind($got);
    my $good;

    if ($test =~ /^~(.*)/s) {
        $good = $kind eq 'string' && $got =~ /$1/;

    } elsif ($test =~ /^\[(\d+)\]$/) {
        $good = $kind eq 'array' && @$got == $1;

    } elsif ($test =~ /^([<>]=?)(-?[\d.]+)$/) {
        $good = $kind eq 'number' && $Order{$1}->($got, $2);

    } elsif ($test eq 'any') {
        $good = 1;

    } elsif ($test eq 'absent') {
        $good = 0;

    } elsif ($test eq 'int') {
        $good = $kind eq 'number' && $got =~ /^-?\d+$/;

    } else {
        $good = $kind eq $test;
    }

    return if $good;
    return "$path is " . encode($got) . ", not %$test";
}


sub kind {
    my ($value) = @_;

    return 'null' if !defined $value;
    return 'object' if ref $value eq 'HASH';
    return 'array' if ref $value eq 'ARRAY';
    return 'bool' if ref $value;
    return is_number($value) ? 'number' : 'string';
}


sub is_number {
    my ($value) = @_;

    return 0 if !defined $value || ref $value;

    my $flags = B::svref_2object(\$value)->FLAGS;

    return $flags & (B::SVp_IOK | B::SVp_NOK) && !($flags & B::SVp_POK);
}


1;
