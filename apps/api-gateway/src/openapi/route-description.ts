import type { Config } from '@glimpse/config';
import type { z } from 'zod';

/** Texts or answers by an HTTP status. */
export type ByStatus<T> = { readonly [status: number]: T | undefined };

export type RouteMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A body by its media type: the schema that the code checks it with or types it from, or raw bytes, or plain text. */
export type Content = { readonly [mediaType: string]: z.ZodType | 'bytes' | 'text' | undefined };

/** Something that a request carries beside its body. */
export interface RouteParameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  /** Any text where it is left out; an array is a parameter that may be repeated. */
  readonly schema?: z.ZodType;
  /** Those of a path always are. */
  readonly isRequired?: boolean;
  /** Glance does not have it. */
  readonly isAddition?: boolean;
}

export interface RouteAnswer {
  readonly description: string;
  /** Left out where the answer is empty. */
  readonly content?: Content;
  /** What headers say, by their name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One method of one path, as the API's document describes it. */
export interface RouteDescription {
  readonly method: RouteMethod;
  /** As the router has it: `/v2/images/:id`. Each `:name` without a parameter of its own is any text. */
  readonly path: `/${string}`;
  /** The group that it is listed under. */
  readonly tag: string;
  /** A few words; the title of the operation. */
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  readonly parameters?: readonly RouteParameter[];
  readonly body?: { readonly content: Content; readonly isRequired?: boolean; readonly description?: string };
  /** Answers that are no errors, by their status. */
  readonly answers: ByStatus<RouteAnswer>;
  /** When it is refused, by the status; the body is the shared error. 401, 500 and 503 go without saying. */
  readonly errors?: ByStatus<string>;
  /** Needs no token. */
  readonly isOpen?: boolean;
  /** Glance does not have it. */
  readonly isAddition?: boolean;
  readonly isDeprecated?: boolean;
}

/** The routes of one area. What a deployment accepts (formats, stores) is in its configuration. */
export type DescribeRoutes = (config: Config) => readonly RouteDescription[];

/** A JSON body. */
export const json = (schema: z.ZodType): Content => ({ 'application/json': schema });

/** Raw data. */
export const bytes = (mediaType = 'application/octet-stream'): Content => ({ [mediaType]: 'bytes' });

/** An answer without a body. */
export const empty = (description: string): RouteAnswer => ({ description });
