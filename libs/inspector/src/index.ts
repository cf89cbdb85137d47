export { ImageInspector, type Inspection, createInspector } from './image-inspector.js';
