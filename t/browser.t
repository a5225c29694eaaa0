#!/usr/bin/perl

# Copyright (C) the chat module's authors

# The chat page in a real browser: two tabs on two workers, with a reload of
# nginx and one of the page; and three people who do all that they can do to
# each other.  Pictures are left in build/t/pictures.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws', 'playwright-core');
plan(skip_all => $why) unless $node;

my ($browser) = grep { defined && -x }
                ($ENV{TEST_CHROMIUM}, '/usr/bin/chromium',
                 '/usr/bin/chromium-browser', '/usr/bin/google-chrome');
plan(skip_all => 'no chromium here, "make test" installs it')
    unless $browser;

for my $script (qw(two_tabs company)) {
    my $server = ChatServer->new(name => "browser_$script",
                                 conf => 'chat.conf')->start();

    $server->play($node, "$ChatServer::top/t/clients/$script.mjs",
                  'http://127.0.0.1:' . $server->port() . '/', $browser,
                  "$ChatServer::top/build/t/pictures");
    $server->stop();
}

done_testing();
