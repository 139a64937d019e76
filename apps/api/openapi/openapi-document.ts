import type { Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { apiControllers } from '../api.module.ts';
import { createOpenApi } from './openapi.ts';

/** Nest makes no controller without what its constructor takes; none of them is ever asked. */
const neverAsked = new Set(
  apiControllers.flatMap(
    (controller) => (Reflect.getMetadata('design:paramtypes', controller) ?? []) as Type[],
  ),
);

@Module({
  controllers: apiControllers,
  providers: [...neverAsked].map((provide) => ({ provide, useValue: {} })),
})
class RoutesOnly {}

/** The document that a running api serves, made where there are no stores. */
export async function openApiDocument(): Promise<OpenAPIObject> {
  const app = await NestFactory.create(RoutesOnly, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  return createOpenApi(app);
}
