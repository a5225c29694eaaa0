#!/usr/bin/perl

# Copyright (C) the chat module's authors

# Each configuration in conf/examples is accepted, and holds a conversation.

use strict;
use warnings;

use Digest::SHA;
use File::Basename;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws');
plan(skip_all => $why) unless $node;

my $script = "$ChatServer::top/t/clients/examples.mjs";
my $certificate = 'certs/example.com.pem';

my @examples = grep { !/^door_/ } map { basename($_, '.conf') }
               sort glob "$ChatServer::top/conf/examples/*.conf";

my %prepare = (wss => \&make_certificate, moderated => \&make_passwords,
               jwt => \&make_secret, api_keys => \&make_keys);

for my $example (@examples) {
    if ($example eq 'wss' && system('openssl version >/dev/null 2>&1')) {
        diag('wss.conf is not tried, as there is no openssl to make its '
             . 'certificate');
        next;
    }

    my $server = ChatServer->new(name => "example_$example",
                                 conf => "$example.conf",
                                 prepare => $prepare{$example})->start();

    if ($example eq 'wss') {
        $server->play($node, $script, $example, $server->port(443),
                      $server->port(80), $server->dir() . "/$certificate");

    } elsif ($example eq 'api_keys') {
        $server->play($node, $script, $example, $server->port(),
                      $server->dir() . '/chat.keys');

    } else {
        $server->play($node, $script, $example, $server->port());
    }

    $server->stop();
}

done_testing();


sub make_passwords {
    my ($server) = @_;

    my $name = $server->dir() . '/chat.htpasswd';

    open(my $file, '>', $name) or die "$name: $!\n";
    print $file map { "$_:{PLAIN}$_-secret\n" } qw(alice bob carol dave);
    close($file);
}


sub make_secret {
    my ($server) = @_;

    write_file($server->dir() . '/chat.secret', 'x' x 64);
}


# The script has the keys themselves

sub make_keys {
    my ($server) = @_;

    my %keys = (news => '0123456789abcdef', shop => 'fedcba9876543210',
                count => '0f1e2d3c4b5a6978');

    my %rights = (news => 'publish,history:*', shop => 'publish,history:orders',
                  count => 'history:*');

    write_file($server->dir() . '/chat.keys', join '', map {
        "$_:sha256\$" . Digest::SHA::sha256_hex($keys{$_} x 4)
        . ":$rights{$_}:-\n"
    } sort keys %keys);
}


sub write_file {
    my ($name, $text) = @_;

    open(my $file, '>', $name) or die "$name: $!\n";
    print $file $text;
    close($file);
}


sub make_certificate {
    my ($server) = @_;

    my $name = $server->dir() . '/certs/example.com';

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
           . "-subj /CN=example.com "
           . "-addext 'subjectAltName=DNS:example.com,DNS:localhost' "
           . "-keyout $name.key -out $name.pem >/dev/null 2>&1") == 0
        or die "openssl makes no certificate\n";
}
