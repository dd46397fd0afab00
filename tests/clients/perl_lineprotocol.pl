#!/usr/bin/perl
# Encodes with InfluxDB::LineProtocol and posts: perl_lineprotocol.pl URL START_MS COUNT.
use strict;
use warnings;
use utf8;
use HTTP::Tiny;
use InfluxDB::LineProtocol qw(data2line precision=ms);
use JSON::PP;

my ($url, $start_ms, $count) = @ARGV;
my $http = HTTP::Tiny->new;
my @statuses;

sub post {
    my $body = join "\n", @_;
    utf8::encode($body);
    my $answer = $http->post($url, { content => $body });
    push @statuses, $answer->{status} + 0;
}

post(data2line('cpu, load', {
    float => '-1.5e-7', int => 9007199254740993, min => '-9223372036854775808i',
    yes => 'true', no => 'F', 'te,xt k' => 'say "hi", a=b \\ c',
}, { 'ho st' => 'a b,c=d', 'e=x' => 'é 漢', gone => undef }, $start_ms));
post(map { data2line('many', { v => $_ }, { n => $_ % 10 }, $start_ms + $_) } 0 .. $count - 1);
post(data2line('plain', 3.25, $start_ms));
print encode_json({ version => $InfluxDB::LineProtocol::VERSION, statuses => \@statuses });
