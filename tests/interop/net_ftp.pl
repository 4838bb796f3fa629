# Perl's Net::FTP as a vendor's script would use it. Arguments: host, port, account, password, file, 1 for passive mode.
use strict;
use warnings;
use Net::FTP;

my ($host, $port, $account, $password, $file, $passive) = @ARGV;
my $ftp = Net::FTP->new($host, Port => $port, Timeout => 120, Passive => $passive) or die "connect: $@";

sub need { $_[0] or die "$_[1]: " . $ftp->code . ' ' . $ftp->message; return $_[0] }

need($ftp->login($account, $password), 'login');
need($ftp->binary, 'binary');
my $name = "perl-$passive.hl7";
need($ftp->put($file, $name), 'put');
need(($ftp->size("inbox/$name") // -1) == -s $file, 'size');
need($ftp->mdtm("inbox/$name"), 'mdtm');
need($ftp->put($file, "$name.tmp"), 'put of a temporary name');
need($ftp->rename("$name.tmp", "renamed-$name"), 'rename');
need($ftp->site('CHMOD', '644', "renamed-$name") == 2, 'chmod');
my $unique = need($ftp->put_unique($file), 'put_unique');
my @listed = $ftp->ls('inbox');
foreach my $wanted ($name, "renamed-$name", $unique) {
    need((grep { $_ eq $wanted } @listed), "ls does not show $wanted");
}
need(scalar($ftp->dir('inbox')) >= 3, 'dir');
{
    local $SIG{__WARN__} = sub { };
    need(!$ftp->get("inbox/$name", '/dev/null'), 'an accepted file was read back');
}
need($ftp->code == 550, 'get');
need($ftp->quit, 'quit');
