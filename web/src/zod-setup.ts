import { z } from 'zod';

// Zod compiles its checks with `new Function` where it may; the content security policy forbids that.
// A file of its own because schemas read this when they are made, that is when their module loads.
z.config({ jitless: true });
