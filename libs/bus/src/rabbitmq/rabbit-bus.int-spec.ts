import { createVirtualHost } from '@glimpse/testing';
import { describeBus } from '../bus.conformance.js';

describeBus('RabbitMQ', { open: createVirtualHost });
