import { Controller, Get, Header, Module } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { collectDefaultMetrics, Registry } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

/** One registry per process; everything that counts registers here. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

@ApiExcludeController()
@Controller()
class MetricsController {
  @Get('metrics')
  @Header('content-type', metrics.contentType)
  read(): Promise<string> {
    return metrics.metrics();
  }
}

@Module({ controllers: [MetricsController] })
export class MetricsModule {}
