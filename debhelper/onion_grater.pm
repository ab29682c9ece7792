# debhelper sequence: dh_onion-grater behind dh_install, so that profiles may come from debian/tmp, and
# behind what makes users; but before what starts services, which are to find their control port.
use strict;
use warnings;
use Debian::Debhelper::Dh_Lib;

insert_before('dh_installinit', 'dh_onion-grater');

1;
