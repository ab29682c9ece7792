# debhelper sequence: dh_onion-grater behind dh_install, so that profiles may come from debian/tmp,
# and before what makes maintainer scripts of units.
use strict;
use warnings;
use Debian::Debhelper::Dh_Lib;

insert_after('dh_install', 'dh_onion-grater');

1;
