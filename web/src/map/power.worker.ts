/** Tell whether this device draws 3D by a graphics processor; off the page's thread, which does not wait for the answer. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i;

function drawsByProcessor(): boolean {
  // A browser too old to be asked here is not one that lacks the processor.
  if (typeof OffscreenCanvas === "undefined") return true;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  return !SOFTWARE.test(String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}

postMessage(drawsByProcessor());
