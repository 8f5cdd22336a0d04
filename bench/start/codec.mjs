import { encodeRequest } from 'devicemapper/codec';

encodeRequest('DEV_STATUS', { name: 'bench' });
