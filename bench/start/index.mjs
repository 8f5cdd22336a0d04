import 'devicemapper';
