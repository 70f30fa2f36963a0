// SPDX-License-Identifier: Apache-2.0
// ECharts, as far as it is used. It is as large as all the rest: import it where a chart is shown, by import().
import { LineChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);
export { init };
