import { createVirtualHost } from '@glimpse/testing';
import { jest } from '@jest/globals';
import { describeBus } from '../bus.conformance.js';

jest.setTimeout(30_000);

describeBus('RabbitMQ', { open: createVirtualHost });
