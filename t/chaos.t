
# Chaos for some seconds: t/chaos/run says what that is.  Then the checker's
# own test: where the clients hear what a broken chat would say, it reports it.

use v5.10.1;
use strict;
use warnings;

use Test::More;

if ($ENV{VALGRIND_OPTIONS}) {
    plan(skip_all => 'a chat that is so slow looks like a dead one');
}

my $Slowness = $ENV{TEST_NGINX_SLOWNESS} || 1;


sub begin {
    my ($seconds, $seed, @options) = @_;

    my @command = ('t/chaos/run', $seconds, $seed,
                   '--slowness', $Slowness, @options);

    open my $out, '-|', "@command 2>&1" or die "@command: $!\n";
    return $out;
}


sub result {
    my ($out) = @_;

    my $said = join '', <$out>;
    close $out;

    return ($?, $said);
}


my ($rc, $said) = result(begin(8, 20));

ok($rc == 0, 'nothing is lost, doubled, reordered or left over')
    or diag($said);
like($said, qr/^chaos: seed 20: lost 0, duplicated 0, reordered 0, 0 faults/m,
     'the checker says so');
like($said, qr/ [1-9]\d\d+ acknowledged$/m, 'of more than a few messages');
like($said, qr/ sent again [1-9]/, 'some were said before, and not twice');

SKIP: {
    skip 'no fault points', 1 if $ENV{ASAN_OPTIONS};
    like($said, qr/ [1-9]\d* deaths at fault points /, 'workers died inside');
}

# ten reloads and more while all are talking

my $reloads = begin(7, 22, '--only', 'reload');

my %Found = (drop => 'lost', swap => 'reordered', double => 'duplicated',
             nonce => 'duplicated', ack => 'lost', presence => 'presence');

my %out = map { $_ => begin(2, 21, '--break', $_) } sort keys %Found;

for my $break (sort keys %Found) {
    ($rc, $said) = result($out{$break});

    ok($rc != 0, "$break: reported");
    like($said, qr/^FAULT $Found{$break}: /m, "$break: as $Found{$break}")
        or diag($said);
}

($rc, $said) = result($reloads);

ok($rc == 0, 'reloads under load lose nothing') or diag($said);
like($said, qr/ reloads [1-9]\d/, 'ten of them, and more');

done_testing();
